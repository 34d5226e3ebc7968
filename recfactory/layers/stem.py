"""The raw inputs as source 0 of an architecture."""

from typing import Any

import keras
import tensorflow as tf


def source_zero(raw_dense: str, numbers: tf.Tensor, fields: tf.Tensor) -> tuple[tf.Tensor, tf.Tensor]:
    """The numbers and the tokens that blocks read as source 0.

    Args:
        raw_dense: which numbers, see `Space`.
        numbers: `(batch, dense columns)`.
        fields: `(batch, fields, embedding_dim)`.

    Returns:
        Numbers `(batch, space.raw_width)` and tokens `(batch, embedding_dim, fields)`.
    """
    tokens = tf.transpose(fields, [0, 2, 1])
    if raw_dense == "numbers":
        return numbers, tokens
    flat = tf.reshape(tokens, [-1, fields.shape[1] * fields.shape[2]])
    return (flat if raw_dense == "fields" else tf.concat([numbers, flat], 1)), tokens


@keras.saving.register_keras_serializable(package="recfactory")
class Stem(keras.layers.Layer):
    """`source_zero` as a layer.

    Args:
        raw_dense: which numbers blocks read as source 0, see `Space`.
    """

    def __init__(self, raw_dense: str, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.raw_dense = raw_dense

    def call(self, inputs: list[tf.Tensor]) -> tuple[tf.Tensor, tf.Tensor]:
        """Maps `[numbers, fields]` to the numbers and tokens of source 0."""
        return source_zero(self.raw_dense, *inputs)

    def compute_output_shape(self, input_shape: Any) -> tuple[tuple[int | None, ...], tuple[int | None, ...]]:
        """Shapes of numbers and tokens."""
        (batch, width), (_, fields, dim) = input_shape
        flat = {"numbers": width, "fields": fields * dim, "both": width + fields * dim}[self.raw_dense]
        return (batch, flat), (batch, dim, fields)

    def get_config(self) -> dict[str, Any]:
        """The constructor's arguments as JSON values."""
        return {**super().get_config(), "raw_dense": self.raw_dense}
