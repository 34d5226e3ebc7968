"""The dense operator FC."""

import keras
import tensorflow as tf

from recfactory.layers.normalised import NormalisedOperator
from recfactory.layers.operator import Weights
from recfactory.layers.product import product


@keras.saving.register_keras_serializable(package="recfactory")
class FC(NormalisedOperator):
    """A linear layer, normalised, with ReLU (NASRec, table 1)."""

    kind = "fc"
    relu = True

    @classmethod
    def product(cls, weights: Weights, *inputs: tf.Tensor) -> tf.Tensor:
        """Maps the concatenated numbers `(batch, width)` to `(batch, dim)`."""
        (numbers,) = inputs
        kernel, *_ = weights["kernel"]
        return product(numbers, kernel)
