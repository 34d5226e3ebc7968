"""What an operator computes for one example, as far as it costs weights or multiply-accumulates."""

from dataclasses import dataclass
from typing import Any

from recfactory.space.axes import Axis


@dataclass(frozen=True, eq=False)
class Linear:
    """A matrix product with a weight matrix. Without inputs there is no product, but its vectors remain.

    Args:
        name: of the matrix.
        inputs: its side of inputs.
        outputs: its side of outputs.
        uses: times it is applied to an example.
        vectors: one number per output each, such as a bias or a gain.
        variant: which of several matrices of this name in the supernet, such as one per source.
        by_output: stored a row per output, for outputs whose number is arbitrary; then without vectors.
    """

    name: str
    inputs: Axis
    outputs: Axis
    uses: int = 1
    vectors: tuple[str, ...] = ("bias",)
    variant: int = 0
    by_output: bool = False

    @property
    def macs(self) -> Any:
        """Multiply-accumulates per example."""
        return self.inputs.size * self.outputs.size * self.uses

    @property
    def params(self) -> Any:
        """Weights, those of the vectors included."""
        return (self.inputs.size + len(self.vectors)) * self.outputs.size


@dataclass(frozen=True, eq=False)
class Products:
    """A matrix product of activations: inner products of tokens, attention.

    Args:
        name: of the product.
        rows: of its result.
        columns: of its result.
        length: of each inner product.
    """

    name: str
    rows: Any
    columns: Any
    length: Any
    params: int = 0

    @property
    def macs(self) -> Any:
        """Multiply-accumulates per example."""
        return self.rows * self.columns * self.length


Operation = Linear | Products

NORM = ("bias", "gain", "shift")
"""The vectors of a linear layer that is normalised."""
