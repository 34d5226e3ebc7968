"""Area and power of a tile and of a chip, from the component tables.

Every block scales with what it serves: ADCs with crossbars, DACs and input registers with rows,
sample-and-hold and output registers with columns, cells with both. What a tile has once (eDRAM, bus,
router, pooling) stays as in ISAAC, whatever the number of its IMAs (assumption). To that comes our digital
unit.
"""

from dataclasses import dataclass

from hw import components as part
from hw.adc import conversion_energy, converter_area
from hw.arithmetic import LANE_M2
from hw.components import Block
from hw.config import PIMConfig

TILE_PARTS = (
    "adc",
    "dac",
    "sample_hold",
    "crossbar",
    "shift_add",
    "registers",
    "edram",
    "bus",
    "router",
    "digital",
)
"""What a tile's area consists of."""
_ISAAC_ADC_BITS = 8


def tile_area(config: PIMConfig) -> dict[str, float]:
    """Square metres of one tile by `TILE_PARTS`."""
    crossbars = config.crossbars_per_ima * config.imas_per_tile
    adcs, rows, cols = _counts(config, crossbars)
    fixed = (part.SIGMOID, part.MAX_POOL)
    return {
        "adc": adcs * converter_area(config.resolution),
        "dac": rows * part.DAC.unit_area_m2 * 2 ** (config.dac_bits - 1),
        "sample_hold": cols * part.SAMPLE_HOLD.unit_area_m2,
        "crossbar": crossbars * config.rows * config.cols * part.CELLS.unit_area_m2,
        "shift_add": adcs * part.SHIFT_ADD.unit_area_m2 + part.TILE_SHIFT_ADD.area_m2,
        "registers": rows * part.INPUT_REGISTER.unit_area_m2
        + cols * part.OUTPUT_REGISTER.unit_area_m2
        + part.TILE_OUTPUT_REGISTER.area_m2,
        "edram": part.EDRAM.area_m2,
        "bus": part.BUS.area_m2,
        "router": part.ROUTER.unit_area_m2,
        "digital": sum(block.area_m2 for block in fixed) + digital_unit_area(config),
    }


def digital_unit_area(config: PIMConfig) -> float:
    """Square metres of a tile's lanes, and of an input register like an IMA's."""
    return float(config.lanes * LANE_M2 + part.INPUT_REGISTER.area_m2)


@dataclass(frozen=True)
class Peak:
    """A whole chip with all crossbars busy, its links to other chips included.

    Args:
        macs_per_s: multiply-accumulates per second at the configuration's default bits.
        area_m2: of the chip.
        power_w: of the chip.
    """

    macs_per_s: float
    area_m2: float
    power_w: float

    @property
    def operations_per_s(self) -> float:
        """A multiply-accumulate is two operations."""
        return 2 * self.macs_per_s


def peak(config: PIMConfig) -> Peak:
    """What a data sheet of the chip would say, without our digital unit, which ISAAC lacks.

    Args:
        config: the chip.
    """
    slices = -(-config.weight_bits // config.cell_bits)
    cycles = -(-config.activation_bits // config.dac_bits)
    macs = config.crossbars * config.rows * (config.cols // slices)
    area = sum(tile_area(config).values()) - digital_unit_area(config)
    return Peak(
        macs_per_s=macs / (cycles * config.cycle_s),
        area_m2=config.tiles * area + part.LINKS.area_m2,
        power_w=config.tiles * _tile_power(config) + part.LINKS.power_w,
    )


def _tile_power(config: PIMConfig) -> float:
    """The rows of the table, each for what it serves."""
    crossbars = config.crossbars_per_ima * config.imas_per_tile
    adcs, rows, cols = _counts(config, crossbars)
    growth = conversion_energy(config.adc_law, config.resolution) / conversion_energy(
        config.adc_law, _ISAAC_ADC_BITS
    )
    served: list[tuple[Block, float]] = [
        (part.ADC, adcs * growth),
        (part.DAC, rows * 2 ** (config.dac_bits - 1)),
        (part.SAMPLE_HOLD, cols),
        (part.CELLS, crossbars * config.rows * config.cols),
        (part.SHIFT_ADD, adcs),
        (part.INPUT_REGISTER, rows),
        (part.OUTPUT_REGISTER, cols),
        (part.EDRAM, 1),
        (part.BUS, 1),
        (part.ROUTER, 1),
        (part.SIGMOID, 1),
        (part.TILE_SHIFT_ADD, 1),
        (part.MAX_POOL, 1),
        (part.TILE_OUTPUT_REGISTER, 1),
    ]
    return sum(block.unit_power_w * count for block, count in served)


def _counts(config: PIMConfig, crossbars: int) -> tuple[int, int, int]:
    """ADCs, rows and columns of so many crossbars."""
    return crossbars * config.adcs_per_crossbar, crossbars * config.rows, crossbars * config.cols
