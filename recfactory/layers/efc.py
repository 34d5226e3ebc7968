"""The sparse operator EFC."""

import keras
import tensorflow as tf

from recfactory.layers.normalise import normalise
from recfactory.layers.operator import OperatorLayer, Weights
from recfactory.layers.token_linear import token_linear


@keras.saving.register_keras_serializable(package="recfactory")
class EFC(OperatorLayer):
    """A linear layer over tokens, normalised over them, with ReLU (NASRec, table 1)."""

    kind = "efc"

    @classmethod
    def compute(cls, weights: Weights, *inputs: tf.Tensor) -> tf.Tensor:
        """Maps tokens `(batch, embedding_dim, tokens)` to `(batch, embedding_dim, dim)`."""
        (tokens,) = inputs
        kernel, *vectors = weights["kernel"]
        return tf.nn.relu(normalise(token_linear(tokens, kernel), *vectors))
