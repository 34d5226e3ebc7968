"""The Ranking model of tensorflow-recommenders."""

import warnings
from collections.abc import Sequence
from typing import Any

import keras
import tensorflow as tf

from recfactory.layers.normalise import MOMENTUM
from recfactory.models.tfrs_shim import tensorflow_recommenders
from recfactory.training.recipe import Recipe

tfrs = tensorflow_recommenders()


class Columns(keras.layers.Layer):
    """Hands TFRS one tensor a field; the lookup was done in the fused table."""

    def call(self, fields: tf.Tensor) -> dict[str, tf.Tensor]:
        """Maps `(batch, fields, dim)` to tensors `(batch, dim)` by field."""
        return {f"{index:04d}": field for index, field in enumerate(tf.unstack(fields, axis=1))}


@keras.saving.register_keras_serializable(package="recfactory")
class TfrsTower(keras.layers.Layer):
    """`tfrs.experimental.models.Ranking` as its documentation makes a DCN: Cross below MLP blocks.

    Its own TPUEmbedding is replaced by our table. Without dense columns its bottom stack reads a constant,
    and so becomes a learned bias.

    Args:
        bottom: widths of the layers on the numbers, before the one as wide as an embedding.
        hidden: widths of the layers on the crossed features.
        dropout: share of activations dropped in training.
        batch_norm: whether those layers are batch-normalised.
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
        self.bottom, self.hidden = tuple(bottom), tuple(hidden)
        self.dropout, self.batch_norm = dropout, batch_norm

    def build(self, input_shape: list[tuple[int | None, ...]]) -> None:
        """Makes the Ranking model, whose bottom stack must end as wide as an embedding."""
        (_, dense), (_, fields, dim) = input_shape
        block = tfrs.layers.blocks.MLP
        top: list[keras.layers.Layer] = []
        for width in self.hidden:
            top.append(block([width], use_bias=not self.batch_norm))
            if self.batch_norm:
                top.append(keras.layers.BatchNormalization(momentum=MOMENTUM))
            top += [keras.layers.ReLU(), keras.layers.Dropout(self.dropout)]
        self.ranking = tfrs.experimental.models.Ranking(
            embedding_layer=Columns(),
            bottom_stack=block([*self.bottom, dim], final_activation="relu"),
            feature_interaction=keras.Sequential(
                [keras.layers.Concatenate(), tfrs.layers.feature_interaction.Cross()]
            ),
            concat_dense=False,
            top_stack=keras.Sequential([*top, block([1])]),
        )
        with warnings.catch_warnings():
            # Ranking has no `build`, of which Keras 3 warns; a pass over two rows makes its variables.
            warnings.simplefilter("ignore", UserWarning)
            self.call([tf.zeros([2, dense]), tf.zeros([2, fields, dim])])
        self.built = True

    def call(self, inputs: list[tf.Tensor], training: bool = False) -> tf.Tensor:
        """Maps `[numbers (batch, dense), fields (batch, fields, dim)]` to the logit `(batch, 1)`."""
        numbers, fields = inputs
        rows = tf.shape(fields)[0]
        if numbers.shape[1] == 0:
            numbers = tf.ones([rows, 1])
        # Ranking squeezes every embedding, which would flatten a batch of one: give it two rows then.
        more = tf.cast(rows == 1, tf.int32)
        features = {
            "dense_features": tf.concat([numbers, numbers[:more]], axis=0),
            "sparse_features": tf.concat([fields, fields[:more]], axis=0),
        }
        return tf.reshape(self.ranking(features, training=training)[:rows], [-1, 1])

    def get_config(self) -> dict[str, Any]:
        """The constructor's arguments as JSON values."""
        return {
            **super().get_config(),
            "bottom": list(self.bottom),
            "hidden": list(self.hidden),
            "dropout": self.dropout,
            "batch_norm": self.batch_norm,
        }


def make(recipe: Recipe) -> tuple[TfrsTower, int]:
    """The tower and the width of the table it reads."""
    tower = TfrsTower(recipe.bottom, recipe.hidden, recipe.dropout, recipe.batch_norm)
    return tower, recipe.embedding_dim
