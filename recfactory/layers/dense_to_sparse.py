"""The merger from numbers to tokens."""

from typing import Any

import keras
import tensorflow as tf

from recfactory.layers.operator import OperatorLayer, Weights, shapes_of
from recfactory.layers.product import product
from recfactory.space.axes import whole
from recfactory.space.operations import Operation
from recfactory.space.operators import dense_to_sparse


@keras.saving.register_keras_serializable(package="recfactory")
class DenseToSparse(OperatorLayer):
    """Appends tokens made of a block's numbers by a linear layer (NASRec, section 3.1).

    Args:
        dim: tokens it appends.
    """

    kind = "dense_to_sparse"

    def operations(self, shapes: list[tuple[int | None, ...]]) -> tuple[Operation, ...]:
        """The linear layer."""
        (_, width), (_, embedding_dim, _) = shapes
        return dense_to_sparse(whole(int(width or 0)), int(embedding_dim or 0), self.dim)

    @classmethod
    def compute(cls, weights: Weights, *inputs: tf.Tensor) -> tf.Tensor:
        """Maps numbers `(batch, width)` and tokens `(batch, embedding_dim, t)` to `t + dim` tokens."""
        numbers, tokens = inputs
        kernel, bias = weights["kernel"]
        made = product(numbers, kernel) + bias
        return tf.concat([tokens, tf.reshape(made, [tf.shape(tokens)[0], tokens.shape[1], -1])], 2)

    def compute_output_shape(self, input_shape: Any) -> tuple[int | None, ...]:
        """`(batch, embedding_dim, tokens + dim)`."""
        _, (batch, embedding_dim, tokens) = shapes_of(input_shape)
        return (batch, embedding_dim, int(tokens or 0) + self.dim)
