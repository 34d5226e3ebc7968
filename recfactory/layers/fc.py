"""The dense operator FC."""

import keras
import tensorflow as tf

from recfactory.layers.normalise import normalise
from recfactory.layers.operator import OperatorLayer, Weights


@keras.saving.register_keras_serializable(package="recfactory")
class FC(OperatorLayer):
    """A linear layer, normalised, with ReLU (NASRec, table 1)."""

    kind = "fc"

    @classmethod
    def compute(cls, weights: Weights, *inputs: tf.Tensor) -> tf.Tensor:
        """Maps the concatenated numbers `(batch, width)` to `(batch, dim)`."""
        (numbers,) = inputs
        kernel, *vectors = weights["kernel"]
        return tf.nn.relu(normalise(tf.matmul(numbers, kernel), *vectors))
