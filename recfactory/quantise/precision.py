"""How exactly a candidate computes: bits of each operator, and what the crossbars add to the error."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass

from hw.config import PIMConfig
from recfactory.space.space import Space
from recfactory.space.wiring import Role

ROLES: tuple[Role, ...] = ("dense", "sparse", "dense_to_sparse", "fm")
"""Of a block, in the order of their bits in a candidate."""
Slot = tuple[int, Role]
"""Number of a block, from 1, and what an operator is in it; the head's number is the last block's."""


@dataclass(frozen=True)
class Bits:
    """Of one operator.

    Args:
        weight: of its matrices.
        activation: of their inputs.
    """

    weight: int
    activation: int


@dataclass(frozen=True)
class Crossbar:
    """What of a crossbar changes results.

    Args:
        rows: summed up in a column.
        cell_bits: of a weight in one cell.
        dac_bits: of an input in one cycle.
        adc_bits: of a column's sum; above what they hold, sums are clipped.
        noise: standard deviation of a cell's conductance, as a share of its largest one.
    """

    rows: int
    cell_bits: int
    dac_bits: int
    adc_bits: int
    noise: float = 0.0

    @classmethod
    def of(cls, config: PIMConfig, noise: float = 0.0) -> "Crossbar":
        """That of a machine."""
        return cls(config.rows, config.cell_bits, config.dac_bits, config.resolution, noise)


@dataclass(frozen=True)
class Precision:
    """Of a candidate.

    Args:
        bits: of each operator; one that is not named computes in float32.
        embedding: bits of the embedding table; 32 leaves it alone.
        crossbar: that computes the matrix products; None computes them exactly once they are quantised.
        digital: operators that a digital unit computes instead, exactly.
    """

    bits: Mapping[Slot, Bits]
    embedding: int = 32
    crossbar: Crossbar | None = None
    digital: frozenset[Slot] = frozenset()

    def crossbar_of(self, slot: Slot) -> Crossbar | None:
        """What computes an operator's matrix products; None where they are exact."""
        return None if slot in self.digital else self.crossbar


def slots(space: Space) -> Iterator[Slot]:
    """Where operators with bits of their own are, block by block, the head last."""
    for number in range(1, space.blocks + 1):
        yield from ((number, role) for role in ROLES)
    yield space.blocks, "head"
