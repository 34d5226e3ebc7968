"""The operators whose sizes no longer follow from each other, and the choice of what a part reads."""

from collections.abc import Sequence
from typing import Any

import keras
import numpy as np
import tensorflow as tf

from recfactory.layers.dot_product import DotProduct
from recfactory.layers.gating import SigmoidGating
from recfactory.layers.sum import Sum
from recfactory.space.axes import below_diagonal, whole
from recfactory.space.operations import NORM, Linear, Operation, Products

Shapes = list[tuple[int | None, ...]]
NOTHING = -1
"""The place of a channel that is zero."""


@keras.saving.register_keras_serializable(package="recfactory")
class Select(keras.layers.Layer):
    """Some channels of its input.

    Args:
        places: of the channels on the last axis, in order; `NOTHING` makes a channel of zeros.
    """

    def __init__(self, places: Sequence[int], **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.places = [int(place) for place in places]

    def call(self, inputs: tf.Tensor) -> tf.Tensor:
        """Maps `(..., channels)` to `(..., len(places))`."""
        places = np.array(self.places, np.int32)
        if NOTHING in self.places:
            places[places == NOTHING] = inputs.shape[-1]
            inputs = tf.pad(inputs, [[0, 0]] * (len(inputs.shape) - 1) + [[0, 1]])
        return tf.gather(inputs, places, axis=-1)

    def compute_output_shape(self, input_shape: Any) -> tuple[int | None, ...]:
        """`(..., len(places))`."""
        return (*input_shape[:-1], len(self.places))

    def get_config(self) -> dict[str, Any]:
        """The constructor's arguments as JSON values."""
        return {**super().get_config(), "places": self.places}


@keras.saving.register_keras_serializable(package="recfactory")
class PrunedDotProduct(DotProduct):
    """`DotProduct` whose tokens are reduced to any number.

    Args:
        dim: as of `DotProduct`.
        reduced: tokens.
        **kwargs: as of `DotProduct`.
    """

    def __init__(self, dim: int, reduced: int, **kwargs: Any) -> None:
        super().__init__(dim, **kwargs)
        self.reduced = reduced

    def operations(self, shapes: Shapes) -> tuple[Operation, ...]:
        """Projection, reduction, pairs and the last layer."""
        (_, width), (_, embedding_dim, tokens) = ([int(size or 0) for size in shape] for shape in shapes)
        all_tokens = self.reduced + 1
        return (
            Linear("project", whole(width), whole(embedding_dim)),
            Linear("reduce", whole(tokens), whole(self.reduced), uses=embedding_dim),
            Products("pairs", all_tokens, all_tokens, embedding_dim),
            Linear("kernel", below_diagonal(all_tokens, all_tokens), whole(self.dim), vectors=NORM),
        )

    def get_config(self) -> dict[str, Any]:
        """The constructor's arguments as JSON values."""
        return {**super().get_config(), "reduced": self.reduced}


@keras.saving.register_keras_serializable(package="recfactory")
class PrunedGating(SigmoidGating):
    """`SigmoidGating` with as many gates as its right side is wide, whatever the left one's width."""

    def operations(self, shapes: Shapes) -> tuple[Operation, ...]:
        """Gates and the last layer."""
        left, gates = (whole(int(shape[-1] or 0)) for shape in shapes)
        return (
            Linear("gate", left, gates, vectors=(), by_output=True),
            Linear("offset", whole(0), gates),
            Linear("kernel", gates, whole(self.dim), vectors=NORM),
        )


@keras.saving.register_keras_serializable(package="recfactory")
class PrunedSum(Sum):
    """`Sum` that has a matrix where it had one before pruning, whatever its widths.

    Args:
        dim: as of `Sum`.
        linear: whether it has.
        **kwargs: as of `Sum`.
    """

    def __init__(self, dim: int, linear: bool, **kwargs: Any) -> None:
        super().__init__(dim, **kwargs)
        self.linear = linear

    def operations(self, shapes: Shapes) -> tuple[Operation, ...]:
        """The linear layer."""
        width = max(int(shape[-1] or 0) for shape in shapes) if self.linear else 0
        return (Linear("kernel", whole(width), whole(self.dim), vectors=NORM),)

    def get_config(self) -> dict[str, Any]:
        """The constructor's arguments as JSON values."""
        return {**super().get_config(), "linear": self.linear}
