"""A path inside the supernet: the weights it uses, read once, and the way through them."""

from dataclasses import dataclass, replace
from typing import Any

import numpy as np
import numpy.typing as npt
import tensorflow as tf

from recfactory.layers.elastic import Slices, apply
from recfactory.layers.forward import forward
from recfactory.layers.head import penultimate
from recfactory.quantise import fake
from recfactory.space.path import Path
from recfactory.space.wiring import Part
from recfactory.supernet.trail import Node, Trail


@dataclass(frozen=True)
class Subnet:
    """A path with the slices of the shared weights that it uses.

    Args:
        path: the architecture.
        slices: of each of its live parts.
    """

    path: Path
    slices: dict[Part, Slices]

    def logits(self, numbers: tf.Tensor, tokens: tf.Tensor) -> tf.Tensor:
        """Log-odds of a click.

        Args:
            numbers: of source 0, `(batch, space.raw_width)`.
            tokens: of source 0, `(batch, embedding_dim, fields)`.

        Returns:
            `(batch, 1)`.
        """
        return forward(self.path, (numbers, tokens), self._apply, join, mean)

    def features(self, numbers: tf.Tensor, tokens: tf.Tensor) -> tf.Tensor:
        """What the last layer multiplies, `(batch, width)`; arguments as of `logits`."""

        def run(part: Part, inputs: list[tf.Tensor]) -> tf.Tensor:
            if part.role != "head":
                return self._apply(part, inputs)
            rounding = self.slices[part]["kernel"].rounding
            features = penultimate(*inputs)
            if rounding is None:
                return features
            return fake.activations(features, *rounding.ends, rounding.arithmetic.bits.activation)

        return forward(self.path, (numbers, tokens), run, join, mean)

    def logits_of(self, features: tf.Tensor) -> tf.Tensor:
        """What the last layer makes of `features`, `(batch, 1)`."""
        (head,) = (part for part in self.slices if part.role == "head")
        return self._apply(head, [features, tf.zeros([tf.shape(features)[0], 1, 0])])

    def ending(self, coefficients: npt.NDArray[np.floating[Any]]) -> "Subnet":
        """With another last layer, `(width + 1,)`, the bias last."""
        (head,) = (part for part in self.slices if part.role == "head")
        piece = self.slices[head]["kernel"]
        values = tf.reshape(tf.constant(coefficients, tf.float32), tf.shape(piece.values))
        return replace(self, slices={**self.slices, head: {"kernel": piece._replace(values=values)}})

    def trace(self, trail: Trail, numbers: Node, tokens: Node) -> Node:
        """As `logits`, leaving a trail to go back on."""
        return forward(
            self.path,
            (numbers, tokens),
            lambda part, inputs: trail.run(part.kind, self.slices[part], inputs),
            trail.join,
            trail.mean,
        )

    def _apply(self, part: Part, inputs: list[tf.Tensor]) -> tf.Tensor:
        return apply(part.kind, self.slices[part], inputs)


def join(tensors: list[tf.Tensor]) -> tf.Tensor:
    """Concatenates on the last axis."""
    return tf.concat(tensors, -1)


def mean(tensors: list[tf.Tensor]) -> tf.Tensor:
    """Averages tensors of one shape."""
    return tf.add_n(tensors) / len(tensors)
