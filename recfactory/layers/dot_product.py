"""The dense operator DotProduct."""

import keras
import tensorflow as tf

from recfactory.layers.normalised import NormalisedOperator
from recfactory.layers.operator import Weights
from recfactory.layers.product import product
from recfactory.layers.token_linear import token_linear


@keras.saving.register_keras_serializable(package="recfactory")
class DotProduct(NormalisedOperator):
    """Inner products of all pairs of tokens, then a normalised linear layer (NASRec, table 1).

    The numbers become one token. The tokens are first reduced to about sqrt(2 dim), so that there are about
    as many pairs as outputs (operator balancing).
    """

    kind = "dot_product"

    @classmethod
    def product(cls, weights: Weights, *inputs: tf.Tensor) -> tf.Tensor:
        """Maps numbers `(batch, width)` and tokens `(batch, embedding_dim, tokens)` to `(batch, dim)`."""
        numbers, tokens = inputs
        project, project_bias = weights["project"]
        reduce, reduce_bias = weights["reduce"]
        kernel, *_ = weights["kernel"]
        token = product(numbers, project) + project_bias
        tokens = tf.concat([token_linear(tokens, reduce) + reduce_bias, token[:, :, tf.newaxis]], 2)
        products = pack(tf.matmul(tokens, tokens, transpose_a=True))
        return product(products, kernel)


def pack(products: tf.Tensor) -> tf.Tensor:
    """The strict lower triangle of square matrices, in the order of `axes.below_diagonal`.

    A long row is filled up by a short one, reversed: slices and a selection, which are cheaper than a gather
    and its gradient.

    Args:
        products: `(batch, n, n)`.

    Returns:
        `(batch, n(n-1)/2)`.
    """
    n = tf.shape(products)[1]
    width, half = n - 1 + n % 2, (n + 1) // 2
    long = products[:, half:, :width]
    short = tf.reverse(products[:, width - n + 1 : width - half + 1, :width], [1, 2])
    rows, columns = tf.range(half, n), tf.range(width)
    packed = tf.where(columns < rows[:, tf.newaxis], long, short)
    return tf.reshape(packed, [-1, n * (n - 1) // 2])
