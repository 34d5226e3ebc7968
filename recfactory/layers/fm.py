"""The merger from tokens to numbers."""

from typing import Any

import keras
import tensorflow as tf

from recfactory.layers.operator import OperatorLayer, Weights, shapes_of
from recfactory.layers.product import product
from recfactory.space.axes import first
from recfactory.space.operations import Operation
from recfactory.space.operators import fm


@keras.saving.register_keras_serializable(package="recfactory")
class FM(OperatorLayer):
    """Adds the pairwise interactions of a block's tokens to its numbers (Rendle 2010, lemma 3.1).

    Their sum is divided by the number of tokens. There are about as many pairs as its square, and tokens are
    positive: undivided, interactions drown the numbers, and training can begin with a LogLoss above 10.
    """

    kind = "fm"

    def build(self, input_shape: Any) -> None:
        """Makes the weights for inputs of these shapes."""
        super().build(input_shape)
        self.tokens = int(shapes_of(input_shape)[1][-1] or 0)

    def operations(self, shapes: list[tuple[int | None, ...]]) -> tuple[Operation, ...]:
        """The linear layer."""
        return fm(first(self.dim, self.dim), int(shapes[1][1] or 0))

    @classmethod
    def compute(cls, weights: Weights, *inputs: tf.Tensor) -> tf.Tensor:
        """Maps numbers `(batch, dim)` and tokens `(batch, embedding_dim, tokens)` to `(batch, dim)`."""
        numbers, tokens = inputs
        kernel, bias = weights["kernel"]
        pairs = tf.square(tf.reduce_sum(tokens, 2)) - tf.reduce_sum(tf.square(tokens), 2)
        pairs /= tf.cast(tf.shape(tokens)[2], tf.float32)
        return numbers + product(pairs, kernel) + bias
