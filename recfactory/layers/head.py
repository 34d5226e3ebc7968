"""The output head."""

from typing import Any

import keras
import tensorflow as tf

from recfactory.layers.operator import OperatorLayer, Weights
from recfactory.layers.product import product
from recfactory.space.axes import whole
from recfactory.space.operations import Operation
from recfactory.space.operators import head


@keras.saving.register_keras_serializable(package="recfactory")
class Head(OperatorLayer):
    """The linear layer from the last block's numbers and tokens to the logit.

    Args:
        dim: logits; 1.
    """

    kind = "head"

    def __init__(self, dim: int = 1, **kwargs: Any) -> None:
        super().__init__(dim, **kwargs)

    def operations(self, shapes: list[tuple[int | None, ...]]) -> tuple[Operation, ...]:
        """The linear layer."""
        (_, width), (_, embedding_dim, tokens) = shapes
        return head(whole(int(width or 0) + int(embedding_dim or 0) * int(tokens or 0)))

    @classmethod
    def compute(cls, weights: Weights, *inputs: tf.Tensor) -> tf.Tensor:
        """Maps numbers `(batch, width)` and tokens `(batch, embedding_dim, tokens)` to `(batch, 1)`."""
        kernel, bias = weights["kernel"]
        return product(penultimate(*inputs), kernel) + bias


def penultimate(numbers: tf.Tensor, tokens: tf.Tensor) -> tf.Tensor:
    """What the logit is a linear function of.

    Args:
        numbers: `(batch, width)`.
        tokens: `(batch, embedding_dim, tokens)`.

    Returns:
        `(batch, width + embedding_dim * tokens)`.
    """
    shape = tf.shape(tokens)
    return tf.concat([numbers, tf.reshape(tokens, [shape[0], shape[1] * shape[2]])], 1)
