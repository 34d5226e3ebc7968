"""DCN-V2: explicit feature crosses beside a deep part."""

from collections.abc import Sequence
from typing import Any

import keras
import keras_rs
import tensorflow as tf

from recfactory.models.perceptron import Perceptron, joined_shape, side_by_side
from recfactory.training.recipe import Recipe


@keras.saving.register_keras_serializable(package="recfactory")
class DcnV2Tower(keras.layers.Layer):
    """Cross and hidden layers in parallel, one logit from both (Wang et al. 2021, DCN V2, section 3).

    Args:
        crosses: number of cross layers.
        hidden: widths of the hidden layers.
        dropout: share of activations dropped in training.
        batch_norm: whether the hidden layers are batch-normalised.
    """

    def __init__(
        self,
        crosses: int,
        hidden: Sequence[int],
        dropout: float = 0.0,
        batch_norm: bool = False,
        **kwargs: Any,
    ) -> None:
        super().__init__(**kwargs)
        self.crosses = [keras_rs.layers.FeatureCross() for _ in range(crosses)]
        self.deep = Perceptron(hidden, dropout, batch_norm)
        self.logit = keras.layers.Dense(1)

    def build(self, input_shape: list[tuple[int | None, ...]]) -> None:
        """Makes the layers for `[(batch, dense), (batch, fields, dim)]`."""
        features = joined_shape(input_shape)
        for cross in self.crosses:
            cross.build(features)
        self.deep.build(features)
        deep = self.deep.compute_output_shape(features)
        self.logit.build((features[0], features[1] + (deep[1] or 0)))
        self.built = True

    def call(self, inputs: list[tf.Tensor], training: bool = False) -> tf.Tensor:
        """Maps `[numbers (batch, dense), fields (batch, fields, dim)]` to the logit `(batch, 1)`."""
        numbers, fields = inputs
        features = side_by_side(numbers, fields)
        crossed = features
        for cross in self.crosses:
            crossed = cross(features, crossed)
        return self.logit(tf.concat([crossed, self.deep(features, training=training)], axis=1))

    def get_config(self) -> dict[str, Any]:
        """The constructor's arguments as JSON values."""
        return {
            **super().get_config(),
            "crosses": len(self.crosses),
            "hidden": list(self.deep.widths),
            "dropout": self.deep.dropout,
            "batch_norm": self.deep.batch_norm,
        }


def make(recipe: Recipe) -> tuple[DcnV2Tower, int]:
    """The tower and the width of the table it reads."""
    return DcnV2Tower(recipe.crosses, recipe.hidden, recipe.dropout, recipe.batch_norm), recipe.embedding_dim
