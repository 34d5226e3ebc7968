"""The machines that can be estimated."""

import math
import types
import typing
from collections.abc import Mapping
from dataclasses import dataclass, fields
from typing import Any, ClassVar, Literal

from hw.adc import FEWEST, conversion_energy, lossless_bits
from hw.components import ADC_RATE_HZ, READ_S
from hw.errors import HardwareError
from hw.memories import memory

MOST_BITS = 32
"""Of weights and activations."""


@dataclass(frozen=True)
class PIMConfig:
    """A processing-in-memory chip with the organisation of ISAAC: tiles of IMAs of crossbars.

    Args:
        rows: of a crossbar.
        cols: of a crossbar.
        cell_bits: bits of a weight in one cell.
        dac_bits: bits of an input in one cycle.
        adc_bits: resolution of the ADCs; None loses nothing of a column's sum (`lossless_bits`), fewer do.
            What that costs in accuracy is not this package's matter.
        adcs_per_crossbar: that share a crossbar's columns.
        crossbars_per_ima: crossbars in an in-situ multiply-accumulate unit.
        imas_per_tile: IMAs in a tile.
        tiles: on the chip.
        weight_bits: of matrices and tables that do not say.
        activation_bits: of matrices that do not say.
        adc_law: energy of an ADC by its bits, see `hw.adc`.
        copies: times a matrix is stored at most, to apply it several times at once.
        lanes: multiply-adds a cycle of a tile's digital unit.
        memory: where embedding tables lie, see `hw.memories`.
        placement: `crossbar` for all matrix products on crossbars; `cheaper` for each on crossbars or on the
            digital unit, whichever takes less energy (H4H-NAS).

    Raises:
        HardwareError: for a machine that cannot be.
    """

    rows: int
    cols: int
    cell_bits: int
    dac_bits: int
    adc_bits: int | None
    adcs_per_crossbar: int
    crossbars_per_ima: int
    imas_per_tile: int
    tiles: int
    weight_bits: int
    activation_bits: int
    adc_law: str
    copies: int
    lanes: int
    memory: str
    placement: Literal["crossbar", "cheaper"]

    machine: ClassVar[str] = "pim"
    most: ClassVar[Mapping[str, int]] = types.MappingProxyType(
        {"rows": 4096, "cols": 4096, "cell_bits": 8, "dac_bits": 8}
        | {"weight_bits": MOST_BITS, "activation_bits": MOST_BITS}
    )

    def __post_init__(self) -> None:
        _check_types(self)
        for field in fields(self):
            value = getattr(self, field.name)
            if isinstance(value, int):
                _require_between(field.name, value, 1, self.most.get(field.name, 1_000_000))
        if self.adcs_per_crossbar > self.cols:
            raise HardwareError(
                f"adcs_per_crossbar is {self.adcs_per_crossbar}, but a crossbar has {self.cols} columns: "
                "choose no more ADCs than columns"
            )
        conversion_energy(self.adc_law, self.resolution)
        memory(self.memory)

    @property
    def resolution(self) -> int:
        """Bits of the ADCs there are."""
        if self.adc_bits is not None:
            return self.adc_bits
        return max(FEWEST, lossless_bits(self.rows, self.cell_bits, self.dac_bits))

    @property
    def adc_shortfall(self) -> int:
        """Bits that the ADCs lack to lose nothing of a column's sum."""
        return max(0, lossless_bits(self.rows, self.cell_bits, self.dac_bits) - self.resolution)

    @property
    def cycle_s(self) -> float:
        """Seconds of a cycle: a read, or converting the columns that share an ADC if that is longer."""
        shared = -(-self.cols // self.adcs_per_crossbar)
        return max(READ_S, shared / ADC_RATE_HZ)

    @property
    def crossbars(self) -> int:
        """Crossbars on the chip."""
        return self.crossbars_per_ima * self.imas_per_tile * self.tiles


@dataclass(frozen=True)
class Roofline:
    """A machine bound by its arithmetic or by its memory, whichever is slower.

    Williams et al., "Roofline", CACM 2009. It computes in its own precision, whatever
    bits a workload asks for.

    Args:
        macs_per_s: multiply-accumulates per second at best.
        bytes_per_s: of weights and activations, from where they lie.
        start_s: to begin a product of matrices, of pairs or of attention.
        energy_per_mac_j: of a multiply-accumulate with its share of an instruction.
        energy_per_byte_j: of weights and activations, from where they lie.
        bits: of weights and activations.
        memory: where embedding tables lie, see `hw.memories`.
        area_m2: of the die; None where it is not known.
        batch: examples that are computed together: weights are read, and operations begun, once for all.

    Raises:
        HardwareError: for a machine that cannot be.
    """

    macs_per_s: float
    bytes_per_s: float
    start_s: float
    energy_per_mac_j: float
    energy_per_byte_j: float
    bits: int
    memory: str
    area_m2: float | None
    batch: int = 1

    machine: ClassVar[str] = "roofline"

    def __post_init__(self) -> None:
        _check_types(self)
        for name in ("macs_per_s", "bytes_per_s", "energy_per_mac_j", "energy_per_byte_j", "area_m2"):
            value = getattr(self, name)
            if value is not None and not 0 < value < float("inf"):
                raise HardwareError(f"{name} is {value}: write a number above 0")
        if not 0 <= self.start_s < float("inf"):
            raise HardwareError(f"start_s is {self.start_s}: write a number of 0 or more")
        _require_between("bits", self.bits, 1, MOST_BITS)
        _require_between("batch", self.batch, 1, 1_000_000)
        memory(self.memory)


Machine = PIMConfig | Roofline


def _require_between(name: str, value: int, least: int, most: int) -> None:
    if not least <= value <= most:
        raise HardwareError(f"{name} is {value}: write a number from {least} to {most}")


def _check_types(machine: Machine) -> None:
    hints = typing.get_type_hints(type(machine))
    for field in fields(machine):
        value, hint = getattr(machine, field.name), hints[field.name]
        if typing.get_origin(hint) is Literal:
            if value not in typing.get_args(hint):
                raise HardwareError(f"{field.name} is {value!r}: write {' or '.join(typing.get_args(hint))}")
            continue
        allowed = typing.get_args(hint) or (hint,)
        if float in allowed and isinstance(value, int) and not isinstance(value, bool):
            value = _number(value)
            object.__setattr__(machine, field.name, value)
        if isinstance(value, bool) or not isinstance(value, allowed):
            raise HardwareError(f"{field.name} is {value!r}: write {_words(allowed)}")


def _number(value: int) -> float:
    try:
        return float(value)
    except OverflowError:
        return math.inf if value > 0 else -math.inf


def _words(allowed: tuple[Any, ...]) -> str:
    words = {int: "a whole number", float: "a number", str: "a name", types.NoneType: "null"}
    return " or ".join(words[kind] for kind in allowed)
