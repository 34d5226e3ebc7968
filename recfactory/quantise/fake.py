"""Fake quantisation: float numbers rounded to what few bits hold.

Gradients pass through the rounding as if it were not there (straight-through, Bengio et al. 2013, arXiv
1308.3432), and stop where activations are clipped (Jacob et al. 2018, arXiv 1712.05877, section 3).
"""

from typing import NamedTuple

import tensorflow as tf

TINY = 1e-12


def two_to(exponent: tf.Tensor | int) -> tf.Tensor:
    """An exact power: `tf.pow` may be off by a last bit."""
    if not tf.is_tensor(exponent):
        return tf.constant(2.0**exponent)
    places = tf.cast(exponent, tf.int64)
    return tf.cast(tf.bitwise.left_shift(tf.ones_like(places), places), tf.float32)


class Codes(NamedTuple):
    """A matrix on a grid: `low + step * code`.

    Args:
        codes: whole numbers from 0 to 2**bits - 1, `(inputs, outputs)` float32.
        low: of each output, `(outputs,)`.
        step: of each output, `(outputs,)`.
    """

    codes: tf.Tensor
    low: tf.Tensor
    step: tf.Tensor

    @property
    def values(self) -> tf.Tensor:
        """The matrix, rounded."""
        return self.low + self.step * self.codes


def codes_of(weights: tf.Tensor, bits: tf.Tensor | int) -> Codes:
    """A matrix on symmetric grids, one per output.

    The largest weight of an output is the end of its grid (Krishnamoorthi 2018, arXiv 1806.08342, section
    3.1.1). One bit is the sign, times the mean magnitude (XNOR-Net, section 3.1).

    Args:
        weights: `(inputs, outputs)`.
        bits: from 1; a number, or a scalar tensor, so that one graph serves all.
    """
    size = tf.abs(weights)

    def sign() -> Codes:
        mean = tf.maximum(tf.reduce_mean(size, 0), TINY)
        return Codes(tf.cast(weights >= 0, tf.float32), -mean, 2.0 * mean)

    def several() -> Codes:
        half = two_to(bits - 1)
        step = tf.maximum(tf.reduce_max(size, 0), TINY) / tf.maximum(half - 1.0, 1.0)
        codes = tf.clip_by_value(tf.round(weights / step), 1.0 - half, half - 1.0) + half
        return Codes(codes, -half * step, step)

    if not tf.is_tensor(bits):
        return sign() if bits == 1 else several()
    return Codes(*(tf.where(bits == 1.0, one, more) for one, more in zip(sign(), several(), strict=True)))


def weights(values: tf.Tensor, bits: tf.Tensor | int) -> tf.Tensor:
    """A matrix `(inputs, outputs)` rounded as `codes_of` says; its gradient is that of the result."""
    return values + tf.stop_gradient(codes_of(values, bits).values - values)


def activations(values: tf.Tensor, low: tf.Tensor, high: tf.Tensor, bits: tf.Tensor | int) -> tf.Tensor:
    """Numbers rounded to the grid of `2**bits` values from `low` to `high`, see `grid.best_range`.

    Args:
        values: of any shape.
        low: at most 0; a whole number of steps.
        high: above 0.
        bits: 1 to 16; a number, or a scalar tensor.
    """
    # TensorFlow's fake_quant has no deterministic gradient on GPUs.
    inside = tf.clip_by_value(values, low, high)
    step = (high - low) / (two_to(bits) - 1.0)

    def end() -> tf.Tensor:
        return tf.where(2.0 * values < low + high, low, high)

    def on_grid() -> tf.Tensor:  # in whole steps from zero, so that zero stays zero
        return step * (tf.floor((inside - low) / step + 0.5) + tf.round(low / step))

    if tf.is_tensor(bits):
        nearest = tf.where(bits == 1.0, end(), on_grid())
    else:
        nearest = end() if bits == 1 else on_grid()
    return inside + tf.stop_gradient(nearest - inside)


def embeddings(vectors: tf.Tensor, bits: int) -> tf.Tensor:
    """Embeddings rounded to symmetric grids, one per row of the table.

    Guan et al. 2019 (arXiv 1911.02079): tables take few bits where each row has a scale of its own. A row is
    rounded where it is looked up, so that training still touches no others.

    Args:
        vectors: rows of the table, `(..., embedding_dim)`.
        bits: from 1; 32 leaves them alone.
    """
    if bits >= 32:
        return vectors
    columns = tf.reshape(vectors, [-1, tf.shape(vectors)[-1]])
    return tf.reshape(tf.transpose(weights(tf.transpose(columns), bits)), tf.shape(vectors))
