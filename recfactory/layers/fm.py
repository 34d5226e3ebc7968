"""The merger from tokens to numbers."""

import keras
import tensorflow as tf

from recfactory.layers.operator import OperatorLayer, Weights
from recfactory.layers.product import product
from recfactory.space.axes import first
from recfactory.space.operations import Operation
from recfactory.space.operators import fm


@keras.saving.register_keras_serializable(package="recfactory")
class FM(OperatorLayer):
    """Adds the pairwise interactions of a block's tokens to its numbers (Rendle 2010, lemma 3.1)."""

    kind = "fm"

    def operations(self, shapes: list[tuple[int | None, ...]]) -> tuple[Operation, ...]:
        """The linear layer."""
        return fm(first(self.dim, self.dim), int(shapes[1][1] or 0))

    @classmethod
    def compute(cls, weights: Weights, *inputs: tf.Tensor) -> tf.Tensor:
        """Maps numbers `(batch, dim)` and tokens `(batch, embedding_dim, tokens)` to `(batch, dim)`."""
        numbers, tokens = inputs
        kernel, bias = weights["kernel"]
        pairs = tf.square(tf.reduce_sum(tokens, 2)) - tf.reduce_sum(tf.square(tokens), 2)
        return numbers + product(pairs, kernel) + bias
