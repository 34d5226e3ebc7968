"""DLRM: dot products of all pairs of embeddings, below a perceptron."""

from collections.abc import Sequence
from typing import Any

import keras
import keras_rs
import tensorflow as tf

from recfactory.models.perceptron import Perceptron, side_by_side
from recfactory.training.recipe import Recipe


@keras.saving.register_keras_serializable(package="recfactory")
class DlrmTower(keras.layers.Layer):
    """Bottom layers for the numbers, dot products of all pairs, top layers (Naumov et al. 2019, figure 1).

    The embeddings go on beside their products, as in FuxiCTR's DLRM: without dense columns the
    products alone would be all that is left of them.

    Args:
        bottom: widths of the layers on the numbers, before the one as wide as an embedding.
        hidden: widths of the layers on the products.
        dropout: share of activations dropped in training.
        batch_norm: whether the hidden layers are batch-normalised.
    """

    def __init__(
        self,
        bottom: Sequence[int],
        hidden: Sequence[int],
        dropout: float = 0.0,
        batch_norm: bool = False,
        **kwargs: Any,
    ) -> None:
        super().__init__(**kwargs)
        self.bottom = tuple(bottom)
        self.products = keras_rs.layers.DotInteraction()
        self.top = Perceptron(hidden, dropout, batch_norm)
        self.logit = keras.layers.Dense(1)

    def build(self, input_shape: list[tuple[int, ...]]) -> None:
        """Makes the layers; those on the numbers only where there are dense columns."""
        (batch, dense), (_, fields, dim) = input_shape
        self.numbers = Perceptron([*self.bottom, dim]) if dense else None
        vectors = fields
        if self.numbers is not None:
            self.numbers.build((batch, dense))
            vectors += 1
        features = (batch, vectors * dim + vectors * (vectors - 1) // 2)
        self.top.build(features)
        self.logit.build(self.top.compute_output_shape(features))
        self.built = True

    def call(self, inputs: list[tf.Tensor], training: bool = False) -> tf.Tensor:
        """Maps `[numbers (batch, dense), fields (batch, fields, dim)]` to the logit `(batch, 1)`."""
        numbers, fields = inputs
        vectors = tf.unstack(fields, axis=1)
        if self.numbers is not None:
            numbers = self.numbers(numbers)
            vectors.append(numbers)
        features = side_by_side(numbers, fields)
        if len(vectors) > 1:
            features = tf.concat([features, self.products(vectors)], axis=1)
        return self.logit(self.top(features, training=training))

    def get_config(self) -> dict[str, Any]:
        """The constructor's arguments as JSON values."""
        return {
            **super().get_config(),
            "bottom": list(self.bottom),
            "hidden": list(self.top.widths),
            "dropout": self.top.dropout,
            "batch_norm": self.top.batch_norm,
        }


def make(recipe: Recipe) -> tuple[DlrmTower, int]:
    """The tower and the width of the table it reads."""
    return DlrmTower(recipe.bottom, recipe.hidden, recipe.dropout, recipe.batch_norm), recipe.embedding_dim
