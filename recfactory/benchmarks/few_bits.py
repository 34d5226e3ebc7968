"""Bits of an architecture's operators: the same for all, or those of another design."""

from dataclasses import replace

from recfactory.quantise.precision import Bits, Precision, slots
from recfactory.space.path import Path

EMBEDDING = 8
"""Bits of embedding tables."""


def all_with(bits: int, path: Path) -> Precision:
    """The same bits for all operators."""
    return Precision(dict.fromkeys(slots(path.space), Bits(bits, bits)), EMBEDDING)


def bits_for(base: Path, precision: Precision) -> Precision:
    """A design's bits for another architecture; where the design has no operator, the most of any other."""
    most = Bits(
        max(bits.weight for bits in precision.bits.values()),
        max(bits.activation for bits in precision.bits.values()),
    )
    return replace(precision, bits={slot: precision.bits.get(slot, most) for slot in slots(base.space)})
