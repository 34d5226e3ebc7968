"""The dense operator SigmoidGating."""

import keras
import tensorflow as tf

from recfactory.layers.normalised import NormalisedOperator
from recfactory.layers.operator import Weights
from recfactory.layers.product import product


@keras.saving.register_keras_serializable(package="recfactory")
class SigmoidGating(NormalisedOperator):
    """The right source gated by the left one, then a normalised linear layer (NASRec, table 1).

    The gates are a linear layer of the left source, as wide as it. NASRec pads the narrower of gates and
    right source with zeros; the product is zero there, so that only the common width is computed.
    """

    kind = "gating"

    @classmethod
    def product(cls, weights: Weights, *inputs: tf.Tensor) -> tf.Tensor:
        """Maps left `(batch, width)` and right `(batch, other width)` to `(batch, dim)`."""
        left, right = inputs
        (gate,) = weights["gate"]
        _, offset = weights["offset"]
        kernel, *_ = weights["kernel"]
        gates = tf.sigmoid(product(left, gate, transposed=True) + offset)
        gated = gates * right[:, : tf.shape(gates)[1]]
        return product(gated, kernel)
