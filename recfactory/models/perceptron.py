"""The stack of hidden layers that the towers share."""

from collections.abc import Sequence
from typing import Any

import keras
import tensorflow as tf

from recfactory.layers.normalise import MOMENTUM


@keras.saving.register_keras_serializable(package="recfactory")
class Perceptron(keras.layers.Layer):
    """Dense layers with ReLU, batch-normalised before it if asked, each followed by dropout.

    Args:
        widths: of the layers.
        dropout: share of activations dropped in training.
        batch_norm: whether to normalise (Ioffe and Szegedy 2015).
    """

    def __init__(
        self, widths: Sequence[int], dropout: float = 0.0, batch_norm: bool = False, **kwargs: Any
    ) -> None:
        super().__init__(**kwargs)
        self.widths, self.dropout, self.batch_norm = tuple(widths), dropout, batch_norm
        # A normalised layer's own bias would be subtracted again.
        self.hidden = [keras.layers.Dense(width, use_bias=not batch_norm) for width in self.widths]
        self.norms = [keras.layers.BatchNormalization(momentum=MOMENTUM) for _ in self.widths if batch_norm]
        self.drops = [keras.layers.Dropout(dropout) for _ in self.widths] if dropout else []

    def build(self, input_shape: tuple[int | None, ...]) -> None:
        """Makes the layers for inputs `(batch, width)`."""
        for layer in self.hidden:
            layer.build(input_shape)
            input_shape = (input_shape[0], layer.units)
        for layer, norm in zip(self.hidden, self.norms, strict=False):
            norm.build((input_shape[0], layer.units))
        self.built = True

    def call(self, inputs: tf.Tensor, training: bool = False) -> tf.Tensor:
        """Maps `(batch, width)` to `(batch, widths[-1])`."""
        for index, layer in enumerate(self.hidden):
            inputs = layer(inputs)
            if self.norms:
                inputs = self.norms[index](inputs, training=training)
            inputs = tf.nn.relu(inputs)
            if self.drops:
                inputs = self.drops[index](inputs, training=training)
        return inputs

    def compute_output_shape(self, input_shape: tuple[int | None, ...]) -> tuple[int | None, ...]:
        """Shape of the last layer's output."""
        return (input_shape[0], (*input_shape[1:], *self.widths)[-1])

    def get_config(self) -> dict[str, Any]:
        """The constructor's arguments as JSON values."""
        return {
            **super().get_config(),
            "widths": list(self.widths),
            "dropout": self.dropout,
            "batch_norm": self.batch_norm,
        }


def joined_shape(input_shape: list[tuple[int | None, ...]]) -> tuple[int | None, int]:
    """Shape of `side_by_side` for `[(batch, dense), (batch, fields, dim)]`."""
    (batch, dense), (_, fields, dim) = input_shape
    return batch, (dense or 0) + (fields or 0) * (dim or 0)


def side_by_side(numbers: tf.Tensor, fields: tf.Tensor) -> tf.Tensor:
    """All features of a row as one vector, `(batch, dense + fields * dim)`."""
    width = fields.shape[1] * fields.shape[2]
    return tf.concat([numbers, tf.reshape(fields, [tf.shape(fields)[0], width])], axis=1)
