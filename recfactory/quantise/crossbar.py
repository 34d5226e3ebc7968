"""What crossbars make of a matrix product of whole numbers.

As in ISAAC (Shafiee et al. 2016, sections 3 and 5): weights are unsigned codes, offset by half of their
range, which is put right digitally; signed inputs are in two's complement, whose last cycle counts negative.
A weight lies in ceil(weight bits / cell
bits) cells of neighbouring columns; an input enters in ceil(activation bits / DAC bits) cycles, lowest bits
first; a matrix of K rows takes ceil(K / rows) arrays, each with a sum per column and cycle that an ADC reads
as a whole number from 0 to 2**adc_bits - 1. A column whose cells hold more than half of what they could is
stored flipped, so that sums keep below half of what a full column makes: the bit that ISAAC saves. Cells
differ from what was written by normal noise, once for all.

Beyond ISAAC: DACs of several bits cannot count a sign alone, and take signed inputs offset as weights are.
What a column then reads for inputs of zero is measured once for each chip and subtracted digitally. Small
inputs still drive whole columns, so that clipping costs far more.
"""

import tensorflow as tf

from recfactory.quantise.fake import two_to
from recfactory.quantise.precision import Bits, Crossbar


def largest_sum(crossbar: Crossbar) -> int:
    """Of a column in one cycle, without noise."""
    cell, given = (1 << crossbar.cell_bits) - 1, (1 << crossbar.dac_bits) - 1
    return crossbar.rows * cell * given // 2


def is_exact(crossbar: Crossbar) -> bool:
    """Whether products are those of the whole numbers."""
    return crossbar.noise == 0.0 and largest_sum(crossbar) < 2**crossbar.adc_bits


def product_error(
    inputs: tf.Tensor,
    weights: tf.Tensor,
    crossbar: Crossbar,
    bits: Bits,
    seed: tf.Tensor | int,
    signed: tf.Tensor | bool = False,
) -> tf.Tensor:
    """What the crossbars' product differs by from `inputs @ weights`.

    Args:
        inputs: codes, `(n, K)` float32, whole numbers from 0; those of signed numbers are offset by half of
            their range.
        weights: codes, `(K, outputs)` likewise.
        crossbar: that multiplies; its numbers may be scalar tensors, so that one graph serves all machines.
        bits: of the weights and of the inputs; they too.
        seed: of the noise: another chip.
        signed: whether the inputs are.

    Returns:
        `(n, outputs)`.
    """
    # Of TF32's factors, which GPUs may take instead, whole numbers above 11 bits are rounded.
    tf.config.experimental.enable_tensor_float_32_execution(False)
    rows, cell, dac, weight, activation = (
        tf.cast(number, tf.int32)
        for number in (crossbar.rows, crossbar.cell_bits, crossbar.dac_bits, bits.weight, bits.activation)
    )
    half = two_to(activation - 1)
    zeros = tf.fill([1, tf.shape(inputs)[1]], tf.where(signed, half, 0.0))
    inputs = tf.concat([inputs, zeros], 0)
    slices, cycles = -(-weight // cell), -(-activation // dac)
    in_cell, in_cycle = two_to(cell), two_to(dac)
    place = two_to(cell * tf.range(slices))[:, tf.newaxis]
    planes = _modulo(tf.floor(weights[:, tf.newaxis] / place), in_cell)
    spread = crossbar.noise * (in_cell - 1.0)
    noise = spread * tf.random.stateless_normal(tf.shape(planes), [seed, 0])
    twos_complement = tf.logical_and(signed, tf.logical_and(dac == 1, cycles > 1))
    given = tf.where(twos_complement, _modulo(inputs + half, 2.0 * half), inputs)
    meant = tf.where(twos_complement, inputs - half, inputs)
    limit = two_to(crossbar.adc_bits) - 1.0

    def read(used: slice, cells: tf.Tensor) -> tf.Tensor:
        """What the readings of an array are off, shifted and added over the cycles."""
        columns = [tf.shape(cells)[0], -1]
        written = tf.reshape(cells, columns)
        noisy = written + tf.reshape(noise[used], columns)

        def cycle(c: tf.Tensor, total: tf.Tensor, left: tf.Tensor) -> tuple[tf.Tensor, ...]:
            higher, scale = tf.floor(left / in_cycle), two_to(dac * c)
            digits = left - higher * in_cycle
            scale = tf.where(tf.logical_and(twos_complement, c == cycles - 1), -scale, scale)
            reading = tf.clip_by_value(tf.round(tf.matmul(digits, noisy)), 0.0, limit)
            return c + 1, total + reading * scale, higher

        none = tf.zeros([tf.shape(given)[0], tf.shape(written)[1]])
        _, total, _ = tf.while_loop(
            lambda c, *_: c < cycles, cycle, [0, none, given[:, used]], parallel_iterations=1
        )
        return total - tf.matmul(meant[:, used], written)

    def array(i: tf.Tensor, total: tf.Tensor) -> tuple[tf.Tensor, tf.Tensor]:
        used = slice(i * rows, (i + 1) * rows)
        cells, flipped = _stored(planes[used], in_cell - 1.0)
        by_slice = tf.reshape(read(used, cells), [-1, slices, tf.shape(weights)[1]])
        signs = tf.where(flipped, -place, place)
        return i + 1, total + tf.reduce_sum(by_slice * signs, 1)

    start = tf.zeros([tf.shape(inputs)[0], tf.shape(weights)[1]])
    count = -(-tf.shape(weights)[0] // rows)
    shapes = [tf.TensorShape([]), tf.TensorShape([None, None])]
    _, error = tf.while_loop(
        lambda i, _: i < count, array, [0, start], shape_invariants=shapes, parallel_iterations=1
    )
    return error[:-1] - error[-1:]


def _modulo(values: tf.Tensor, divisor: tf.Tensor) -> tf.Tensor:
    """As `tf.math.floormod`, which takes ten times as long."""
    return values - divisor * tf.floor(values / divisor)


def _stored(cells: tf.Tensor, full: tf.Tensor) -> tuple[tf.Tensor, tf.Tensor]:
    """What the columns of an array hold, and which are flipped.

    Args:
        cells: `(rows in use, slices, outputs)`.
        full: the largest value of a cell.
    """
    flipped = 2.0 * tf.reduce_sum(cells, 0) > full * tf.cast(tf.shape(cells)[0], tf.float32)
    return tf.where(flipped, full - cells, cells), flipped
