"""The dense operator Sum."""

import keras
import tensorflow as tf

from recfactory.layers.normalised import NormalisedOperator
from recfactory.layers.operator import Weights
from recfactory.layers.product import product


@keras.saving.register_keras_serializable(package="recfactory")
class Sum(NormalisedOperator):
    """The sum of two sources, normalised; first a linear layer if it is not `dim` wide (NASRec, table 1)."""

    kind = "sum"

    @classmethod
    def product(cls, weights: Weights, *inputs: tf.Tensor) -> tf.Tensor:
        """Maps left `(batch, width)` and right `(batch, other)`, the narrower padded, to `(batch, dim)`."""
        left, right = inputs
        kernel, *_ = weights["kernel"]
        width = tf.maximum(tf.shape(left)[1], tf.shape(right)[1])
        total = _pad(left, width) + _pad(right, width)
        if kernel.shape[0] != 0:
            total = product(total, kernel)
        return total


def _pad(numbers: tf.Tensor, width: tf.Tensor) -> tf.Tensor:
    return tf.pad(numbers, [[0, 0], [0, width - tf.shape(numbers)[1]]])
