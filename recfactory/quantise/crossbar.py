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
Small and zero inputs then drive whole columns, so that clipping costs far more.
"""

import tensorflow as tf

from recfactory.quantise.precision import Crossbar

MANTISSA = 24
"""Bits of the whole numbers that float32 holds."""


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
    bits: tuple[int, int],
    seed: tf.Tensor | int,
    signed: tf.Tensor | bool = False,
) -> tf.Tensor:
    """What the crossbars' product differs by from `inputs @ weights`.

    Args:
        inputs: codes, `(n, K)` float32, whole numbers from 0; those of signed numbers are offset by half of
            their range.
        weights: codes, `(K, outputs)` likewise.
        crossbar: that multiplies.
        bits: of the weights and of the inputs.
        seed: of the noise: another chip.
        signed: whether the inputs are.

    Returns:
        `(n, outputs)`.
    """
    slices = -(-bits[0] // crossbar.cell_bits)
    cycles = -(-bits[1] // crossbar.dac_bits)
    planes = tf.stack(_digits(weights, crossbar.cell_bits, slices), 1)
    noise = None
    if crossbar.noise:
        full = float(2**crossbar.cell_bits - 1)
        noise = crossbar.noise * full * tf.random.stateless_normal(tf.shape(planes), [seed, 0])
    scales = [tf.constant(2.0 ** (crossbar.dac_bits * cycle)) for cycle in range(cycles)]
    if crossbar.dac_bits == 1 and cycles > 1:
        turned = tf.math.floormod(inputs + 2.0 ** (cycles - 1), 2.0**cycles)
        inputs = tf.where(signed, turned, inputs)
        scales[-1] = tf.where(signed, -scales[-1], scales[-1])
    digits = _digits(inputs, crossbar.dac_bits, cycles)
    place = tf.constant([2.0 ** (crossbar.cell_bits * s) for s in range(slices)])
    count = -(-tf.shape(weights)[0] // crossbar.rows)

    def array(i: tf.Tensor, total: tf.Tensor) -> tuple[tf.Tensor, tf.Tensor]:
        used = slice(i * crossbar.rows, (i + 1) * crossbar.rows)
        cells, flipped = _stored(planes[used], crossbar)
        columns = [tf.shape(cells)[0], -1]
        written = tf.reshape(cells, columns)
        given = [digit[:, used] for digit in digits]
        if noise is None:
            error = _clipping(given, scales, written, crossbar)
        else:
            error = _reading(given, scales, written, tf.reshape(noise[used], columns), crossbar)
        by_slice = tf.reshape(error, [-1, slices, tf.shape(weights)[1]])
        signs = tf.where(flipped, -1.0, 1.0) * place[:, tf.newaxis]
        return i + 1, total + tf.reduce_sum(by_slice * signs, 1)

    start = tf.zeros([tf.shape(inputs)[0], tf.shape(weights)[1]])
    shapes = [tf.TensorShape([]), tf.TensorShape([None, None])]
    return tf.while_loop(
        lambda i, _: i < count, array, [0, start], shape_invariants=shapes, parallel_iterations=1
    )[1]


def _digits(codes: tf.Tensor, bits: int, count: int) -> list[tf.Tensor]:
    """The digits of whole numbers, `bits` bits each, lowest first."""
    found, left = [], codes
    for _ in range(count - 1):
        higher = tf.floor(left * 2.0**-bits)
        found.append(left - higher * 2.0**bits)
        left = higher
    return [*found, left]


def _stored(cells: tf.Tensor, crossbar: Crossbar) -> tuple[tf.Tensor, tf.Tensor]:
    """What the columns of an array hold, and which are flipped.

    Args:
        cells: `(rows in use, slices, outputs)`.
        crossbar: of the array.
    """
    full = float(2**crossbar.cell_bits - 1)
    flipped = 2.0 * tf.reduce_sum(cells, 0) > full * tf.cast(tf.shape(cells)[0], tf.float32)
    return tf.where(flipped, full - cells, cells), flipped


def _clipping(
    digits: list[tf.Tensor], scales: list[tf.Tensor], cells: tf.Tensor, crossbar: Crossbar
) -> tf.Tensor:
    """What clipping changes of the columns' sums, shifted and added over the cycles.

    Sums are small whole numbers, so that one float32 product makes those of several cycles at once.
    """
    width = max(1, largest_sum(crossbar).bit_length())
    together = max(1, MANTISSA // width)
    limit = 2.0**crossbar.adc_bits - 1.0
    total = tf.constant(0.0)
    for first in range(0, len(digits), together):
        group = digits[first : first + together]
        packed = tf.add_n([digit * 2.0 ** (width * i) for i, digit in enumerate(group)])
        sums = _digits(tf.matmul(packed, cells), width, len(group))
        for i, each in enumerate(sums):
            total -= tf.nn.relu(each - limit) * scales[first + i]
    return total


def _reading(
    digits: list[tf.Tensor],
    scales: list[tf.Tensor],
    cells: tf.Tensor,
    noise: tf.Tensor,
    crossbar: Crossbar,
) -> tf.Tensor:
    """What the ADCs' readings of noisy columns are off, shifted and added over the cycles."""
    limit = 2.0**crossbar.adc_bits - 1.0
    noisy, total = cells + noise, tf.constant(0.0)
    for digit, scale in zip(digits, scales, strict=True):
        total += tf.clip_by_value(tf.round(tf.matmul(digit, noisy)), 0.0, limit) * scale
    codes = tf.add_n([digit * scale for digit, scale in zip(digits, scales, strict=True)])
    return total - tf.matmul(codes, cells)
