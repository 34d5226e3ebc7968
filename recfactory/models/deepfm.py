"""DeepFM: a factorization machine and a deep part on the same embeddings."""

from collections.abc import Sequence
from typing import Any

import keras
import tensorflow as tf

from recfactory.models.perceptron import Perceptron, joined_shape, side_by_side
from recfactory.training.recipe import Recipe


@keras.saving.register_keras_serializable(package="recfactory")
class DeepFmTower(keras.layers.Layer):
    """First order, pairwise products and hidden layers, summed to one logit (Guo et al. 2017, section 2.1).

    The last number of each table row is the value's first-order weight, so that one lookup serves both. A
    dense column takes part with such a row of its own, scaled by its number.

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
        self.deep_logit = keras.layers.Dense(1, use_bias=False)

    def build(self, input_shape: list[tuple[int, ...]]) -> None:
        """Makes the layers, and the factors and first-order weights of the dense columns."""
        (batch, dense), (_, fields, dim) = input_shape
        features = joined_shape([(batch, dense), (batch, fields, dim - 1)])
        self.deep.build(features)
        self.deep_logit.build(self.deep.compute_output_shape(features))
        self.factors = self.add_weight(shape=(dense, dim), initializer="glorot_uniform", name="factors")
        self.bias = self.add_weight(shape=(), initializer="zeros", name="bias")
        self.built = True

    def call(self, inputs: list[tf.Tensor], training: bool = False) -> tf.Tensor:
        """Maps `[numbers (batch, dense), fields (batch, fields, dim)]` to the logit `(batch, 1)`."""
        numbers, fields = inputs
        scaled = numbers[:, :, tf.newaxis] * self.factors
        features = tf.concat([scaled, fields], axis=1)
        first = tf.reduce_sum(features[:, :, -1], axis=1, keepdims=True) + self.bias
        second = pairwise_products(features[:, :, :-1])
        deep = self.deep(side_by_side(numbers, fields[:, :, :-1]), training=training)
        return first + second + self.deep_logit(deep)

    def get_config(self) -> dict[str, Any]:
        """The constructor's arguments as JSON values."""
        return {
            **super().get_config(),
            "hidden": list(self.deep.widths),
            "dropout": self.deep.dropout,
            "batch_norm": self.deep.batch_norm,
        }


def pairwise_products(vectors: tf.Tensor) -> tf.Tensor:
    """Sum of the dot products of all pairs, in linear time (Rendle 2010, lemma 3.1).

    Args:
        vectors: `(batch, n, dim)`.

    Returns:
        `(batch, 1)`.
    """
    square_of_sum = tf.square(tf.reduce_sum(vectors, axis=1))
    sum_of_squares = tf.reduce_sum(tf.square(vectors), axis=1)
    return 0.5 * tf.reduce_sum(square_of_sum - sum_of_squares, axis=1, keepdims=True)


def make(recipe: Recipe) -> tuple[DeepFmTower, int]:
    """The tower and the width of the table it reads."""
    return DeepFmTower(recipe.hidden, recipe.dropout, recipe.batch_norm), recipe.embedding_dim + 1
