"""A path inside the supernet: the weights it uses, read once, and the way through them."""

from dataclasses import dataclass

import tensorflow as tf

from recfactory.layers.elastic import Slices, apply
from recfactory.layers.forward import forward
from recfactory.layers.head import penultimate
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
        return forward(self.path, (numbers, tokens), self._apply, _join, _mean)

    def features(self, numbers: tf.Tensor, tokens: tf.Tensor) -> tf.Tensor:
        """What the logit is a linear function of, `(batch, width)`; arguments as of `logits`."""

        def run(part: Part, inputs: list[tf.Tensor]) -> tf.Tensor:
            return penultimate(*inputs) if part.role == "head" else self._apply(part, inputs)

        return forward(self.path, (numbers, tokens), run, _join, _mean)

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


def _join(tensors: list[tf.Tensor]) -> tf.Tensor:
    return tf.concat(tensors, -1)


def _mean(tensors: list[tf.Tensor]) -> tf.Tensor:
    return tf.add_n(tensors) / len(tensors)
