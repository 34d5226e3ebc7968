"""A plain multi-layer perceptron on all features side by side."""

from collections.abc import Sequence
from typing import Any

import keras
import tensorflow as tf

from recfactory.models.perceptron import Perceptron, joined_shape, side_by_side
from recfactory.training.recipe import Recipe


@keras.saving.register_keras_serializable(package="recfactory")
class MlpTower(keras.layers.Layer):
    """Hidden layers, then one logit (the deep part of Cheng et al. 2016, Wide & Deep, section 3.2).

    Args:
        hidden: widths of the hidden layers.
        dropout: share of activations dropped in training.
        batch_norm: whether the hidden layers are batch-normalised.
    """

    def __init__(
        self, hidden: Sequence[int], dropout: float = 0.0, batch_norm: bool = False, **kwargs: Any
    ) -> None:
        super().__init__(**kwargs)
        self.deep = Perceptron(hidden, dropout, batch_norm)
        self.logit = keras.layers.Dense(1)

    def build(self, input_shape: list[tuple[int | None, ...]]) -> None:
        """Makes the layers for `[(batch, dense), (batch, fields, dim)]`."""
        features = joined_shape(input_shape)
        self.deep.build(features)
        self.logit.build(self.deep.compute_output_shape(features))
        self.built = True

    def call(self, inputs: list[tf.Tensor], training: bool = False) -> tf.Tensor:
        """Maps `[numbers (batch, dense), fields (batch, fields, dim)]` to the logit `(batch, 1)`."""
        numbers, fields = inputs
        return self.logit(self.deep(side_by_side(numbers, fields), training=training))

    def get_config(self) -> dict[str, Any]:
        """The constructor's arguments as JSON values."""
        return {
            **super().get_config(),
            "hidden": list(self.deep.widths),
            "dropout": self.deep.dropout,
            "batch_norm": self.deep.batch_norm,
        }


def make(recipe: Recipe) -> tuple[MlpTower, int]:
    """The tower and the width of the table it reads."""
    return MlpTower(recipe.hidden, recipe.dropout, recipe.batch_norm), recipe.embedding_dim
