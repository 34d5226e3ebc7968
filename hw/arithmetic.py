"""Energy and area of digital multiply-adds by their bits.

Horowitz gives 8 and 32 bits; in between and beyond, figures follow the power of the bits that passes
through both. From 45 nm to the tile's 32 nm, energy falls with the node and area with its square
(assumption: capacitance shrinks with length, the supply stays).
"""

from math import log
from typing import Any

from hw import components as part

LANE_BITS = 16
"""Of a lane of the digital unit: the width of ISAAC's datapath."""

_SHRINK = part.NODE_M / part.DIGITAL_NODE_M


def _growth(at_8: float, at_32: float) -> float:
    return log(at_32 / at_8) / log(32 / 8)


MULTIPLY_GROWTH = _growth(part.MULTIPLY_8.energy_j, part.MULTIPLY_32.energy_j)
MULTIPLIER_GROWTH = _growth(part.MULTIPLIER_8_M2, part.MULTIPLIER_32_M2)


def multiply_add_energy(left_bits: Any, right_bits: Any) -> Any:
    """A multiplication, and an addition to an accumulator of 32 bits.

    Args:
        left_bits: of one factor; a number or an array.
        right_bits: of the other; a multiplier of a x b bits counts as one of sqrt(a b) squared.

    Returns:
        Joule.
    """
    ratio = (left_bits * right_bits / 64) ** (MULTIPLY_GROWTH / 2)
    return (part.MULTIPLY_8.energy_j * ratio + part.ADD_32.energy_j) * _SHRINK


LANE_M2 = (part.MULTIPLIER_8_M2 * (LANE_BITS / 8) ** MULTIPLIER_GROWTH + part.ADDER_32_M2) * _SHRINK**2
"""Area of a multiplier and its adder."""
