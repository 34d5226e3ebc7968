"""Energy and area of an analogue-to-digital converter by its bits.

Published sources disagree about the growth of energy with bits, so the law is a named choice:

- `accelergy`: the table of the Accelergy plug-in (library/isaac/isaac_adc.csv), scaled from the 8-bit ADC of
  Kull et al. (ISSCC 2013) with the capacitive-DAC analysis of Saberi et al. (2011).
- `doubling`: the 8-bit figure, doubled with every bit (as hwcomponents-library's `IsaacADC` scales).
- `murmann`: hwcomponents-adc's regression on Murmann's ADC survey (Andrulis et al., arXiv 2404.06553) at
  1.28 GS/s and 32 nm, the dynamic 80%.

The area follows one table, the plug-in's, under every law.
"""

from collections.abc import Mapping
from types import MappingProxyType

from hw.errors import HardwareError

LAWS: Mapping[str, Mapping[int, float]] = MappingProxyType(
    {
        "accelergy": {
            4: 0.79e-12,
            5: 0.99e-12,
            6: 1.20e-12,
            7: 1.42e-12,
            8: 1.67e-12,
            9: 1.97e-12,
            10: 2.38e-12,
        },
        "doubling": {bits: 1.667e-12 * 2.0 ** (bits - 8) for bits in range(4, 11)},
        "murmann": {
            4: 0.739e-12,
            5: 0.749e-12,
            6: 0.852e-12,
            7: 1.050e-12,
            8: 1.543e-12,
            9: 4.42e-12,
            10: 13.1e-12,
        },
    }
)
"""Joule per conversion, by law and bits."""
AREA_M2: Mapping[int, float] = MappingProxyType(
    {4: 361e-12, 5: 477e-12, 6: 627e-12, 7: 845e-12, 8: 1200e-12, 9: 1828e-12, 10: 3002e-12}
)
FEWEST, MOST = 4, 10
"""Bits that the sources cover."""


def conversion_energy(law: str, bits: int) -> float:
    """Energy of one conversion.

    Args:
        law: one of `LAWS`.
        bits: resolution.

    Returns:
        Joule.

    Raises:
        HardwareError: for a law that is not there, or bits beyond the sources.
    """
    if law not in LAWS:
        raise HardwareError(f"there is no ADC law '{law}': choose one of {', '.join(LAWS)}")
    _require_covered(bits)
    return LAWS[law][bits]


def converter_area(bits: int) -> float:
    """Area of one ADC in square metres.

    Raises:
        HardwareError: for bits beyond the source.
    """
    _require_covered(bits)
    return AREA_M2[bits]


def lossless_bits(rows: int, cell_bits: int, dac_bits: int) -> int:
    """The fewest bits that lose nothing of a column's sum.

    ISAAC, section 5, equations 1 and 2, less the bit that storing weights flipped saves: with 1-bit DACs
    `log2(rows) + cell_bits - 1`.

    Args:
        rows: that add up in a column.
        cell_bits: bits of a weight in a cell.
        dac_bits: bits of an input in a cycle.
    """
    both = cell_bits > 1 and dac_bits > 1
    return max((rows - 1).bit_length() + cell_bits + dac_bits - (1 if both else 2), 1)


def _require_covered(bits: int) -> None:
    if not FEWEST <= bits <= MOST:
        raise HardwareError(
            f"the figures for ADCs cover {FEWEST} to {MOST} bits, not {bits}: "
            "set adc_bits within that range, or choose fewer rows, cell_bits or dac_bits"
        )
