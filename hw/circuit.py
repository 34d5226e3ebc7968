"""Configurations resolved to the numbers that the cost models reckon with, many at once."""

from collections.abc import Sequence
from dataclasses import dataclass, fields

import numpy as np
import numpy.typing as npt

from hw import components as part
from hw.adc import conversion_energy
from hw.area import TILE_PARTS, tile_area
from hw.config import PIMConfig
from hw.errors import HardwareError
from hw.memories import memory

Floats = npt.NDArray[np.float64]


@dataclass(frozen=True, eq=False)
class Circuit:
    """One configuration or many: each entry is of shape `(n, 1)`, and combines with `(n, operations)`.

    Args:
        rows: see `PIMConfig`, as all entries up to `lanes`.
        cols: columns of a crossbar.
        cell_bits: of a cell.
        dac_bits: of a DAC.
        copies: times a matrix is stored at most.
        weight_bits: of matrices and tables that do not say.
        activation_bits: of matrices that do not say.
        lanes: multiply-adds a cycle.
        cheaper: whether each matrix product goes where it takes less energy.
        conversion_j: of an ADC.
        cycle_s: of the pipeline.
        dac_j: of a row driven once.
        cell_j: of a cell read once.
        crossbars: on the chip.
        tile_crossbars: in a tile.
        memory_bit_j: see `Memory`, as the following entries.
        memory_burst_bits: least read.
        memory_access_s: of a read.
        memory_interval_s: between reads.
        memory_bit_m2: area.
        tile_m2: `(n, parts)`, see `TILE_PARTS`.
    """

    rows: Floats
    cols: Floats
    cell_bits: Floats
    dac_bits: Floats
    copies: Floats
    weight_bits: Floats
    activation_bits: Floats
    lanes: Floats
    cheaper: Floats
    conversion_j: Floats
    cycle_s: Floats
    dac_j: Floats
    cell_j: Floats
    crossbars: Floats
    tile_crossbars: Floats
    memory_bit_j: Floats
    memory_burst_bits: Floats
    memory_access_s: Floats
    memory_interval_s: Floats
    memory_bit_m2: Floats
    tile_m2: Floats

    def __len__(self) -> int:
        return len(self.rows)

    def take(self, rows: slice) -> "Circuit":
        """Some of the configurations; a single one stays whole."""
        if len(self) == 1:
            return self
        return Circuit(**{field.name: getattr(self, field.name)[rows] for field in fields(self)})


def resolve(configs: Sequence[PIMConfig]) -> Circuit:
    """The numbers of configurations, in their order; each distinct one is worked out once.

    Raises:
        HardwareError: without configurations, or with a machine that has no crossbars.
    """
    if not configs:
        raise HardwareError("there is no configuration to estimate: give at least one")
    if not all(isinstance(config, PIMConfig) for config in configs):
        raise HardwareError("of several machines all must have crossbars: estimate processors one by one")
    places: dict[PIMConfig, int] = {}
    at = [places.setdefault(config, len(places)) for config in configs]
    numbers = np.array([_numbers(config) for config in places])[at]
    names = [field.name for field in fields(Circuit)][:-1]
    columns = {name: numbers[:, place : place + 1] for place, name in enumerate(names)}
    return Circuit(**columns, tile_m2=numbers[:, len(names) :])


def _numbers(config: PIMConfig) -> list[float]:
    """In the order of `Circuit`.

    A row's DAC of several bits takes twice the energy with each bit (an assumption: ISAAC's have one bit;
    capacitive DACs double their capacitors, Saberi et al., IEEE TCAS-I 2011). A cell takes V^2/R for the
    time of a read.
    """
    tables = memory(config.memory)
    area = tile_area(config)
    return [
        config.rows,
        config.cols,
        config.cell_bits,
        config.dac_bits,
        config.copies,
        config.weight_bits,
        config.activation_bits,
        config.lanes,
        config.placement == "cheaper",
        conversion_energy(config.adc_law, config.resolution),
        config.cycle_s,
        part.DAC.unit_power_w * part.READ_S * 2.0 ** (config.dac_bits - 1),
        part.CELLS.unit_power_w * part.READ_S,
        config.crossbars,
        config.crossbars_per_ima * config.imas_per_tile,
        tables.energy_j_per_bit,
        tables.burst_bits,
        tables.access_s,
        tables.interval_s,
        tables.area_m2_per_bit,
        *(area[name] for name in TILE_PARTS),
    ]
