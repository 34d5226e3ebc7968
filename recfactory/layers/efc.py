"""The sparse operator EFC."""

import keras
import tensorflow as tf

from recfactory.layers.normalised import NormalisedOperator
from recfactory.layers.operator import Weights
from recfactory.layers.token_linear import token_linear


@keras.saving.register_keras_serializable(package="recfactory")
class EFC(NormalisedOperator):
    """A linear layer over tokens, normalised over them, with ReLU (NASRec, table 1)."""

    kind = "efc"
    relu = True

    @classmethod
    def product(cls, weights: Weights, *inputs: tf.Tensor) -> tf.Tensor:
        """Maps tokens `(batch, embedding_dim, tokens)` to `(batch, embedding_dim, dim)`."""
        (tokens,) = inputs
        kernel, *_ = weights["kernel"]
        return token_linear(tokens, kernel)
