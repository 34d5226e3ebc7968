"""Every circuit constant, beside its source. SI units.

The blocks of an ISAAC tile are rows of table 6 of Shafiee et al., "ISAAC: A Convolutional Neural Network
Accelerator with In-Situ Analog Arithmetic in Crossbars", ISCA 2016 (32 nm), as its public models give them
(Accelergy library plug-in, PUMA's `include/constants.py`, MNSIM-2.0's `Hardware_Model`). The published sums
close with them: the in-situ multiply-accumulate unit (IMA, 24.08 mW), the tile (330 mW), the chip (65.8 W).
An energy per action is a row's power times the time of one action, divided by the units of the row.
"""

from dataclasses import dataclass

ISAAC = "ISAAC, ISCA 2016, table 6"
ACCELERGY = "Accelergy library plug-in, library/isaac"
HOROWITZ = "Horowitz, Computing's energy problem, ISSCC 2014, figure 1.1.9 (45 nm, 0.9 V)"
DALLY = "Dally, High-performance hardware for machine learning, NIPS 2015 tutorial (45 nm)"


@dataclass(frozen=True)
class Block:
    """A row of a component table.

    Args:
        power_w: of all units of the row together, when busy.
        area_m2: of all units of the row together.
        units: how many there are.
        source: where the figures stand.
    """

    power_w: float
    area_m2: float
    units: int = 1
    source: str = ISAAC

    @property
    def unit_power_w(self) -> float:
        """Power of one unit."""
        return self.power_w / self.units

    @property
    def unit_area_m2(self) -> float:
        """Area of one unit."""
        return self.area_m2 / self.units


@dataclass(frozen=True)
class Action:
    """What something costs each time.

    Args:
        energy_j: of one action.
        source: where the figure stands.
    """

    energy_j: float
    source: str


# Once per IMA, which has 8 crossbars of 128 x 128 cells.
ADC = Block(16e-3, 0.0096e-6, units=8)
"""8 bits, one per crossbar."""
DAC = Block(4e-3, 0.00017e-6, units=8 * 128)
"""1 bit, one per row."""
SAMPLE_HOLD = Block(10e-6, 0.00004e-6, units=8 * 128)
"""One per column."""
CELLS = Block(2.4e-3, 0.0002e-6, units=8 * 128 * 128)
"""2 bits per cell."""
SHIFT_ADD = Block(0.2e-3, 0.00024e-6, units=8)
"""Four units serve eight ADCs; counted per ADC."""
INPUT_REGISTER = Block(1.24e-3, 0.0021e-6, units=8 * 128)
"""2 KB, counted per row."""
OUTPUT_REGISTER = Block(0.23e-3, 0.00077e-6, units=8 * 128)
"""256 B, counted per column."""

# Once per tile, which has 12 IMAs.
EDRAM = Block(20.7e-3, 0.083e-6)
"""64 KB with a port of 256 bits."""
BUS = Block(7e-3, 0.090e-6)
"""384 wires between eDRAM and IMAs."""
ROUTER = Block(42e-3, 0.151e-6, units=4)
"""Shared by four tiles."""
SIGMOID = Block(0.52e-3, 0.0006e-6)
TILE_SHIFT_ADD = Block(0.05e-3, 0.00006e-6)
MAX_POOL = Block(0.4e-3, 0.00024e-6)
TILE_OUTPUT_REGISTER = Block(1.68e-3, 0.0032e-6)

# Once per chip, which has 168 tiles.
LINKS = Block(10.4, 22.88e-6)
"""Four HyperTransport links."""

READ_S = 100e-9
"""One read of a crossbar, and the cycle of the pipeline (ISAAC, section 6)."""
PIPELINE_CYCLES = 6
"""Cycles of ISAAC's 22-cycle pipeline that are not crossbar reads of its 16 input bits (section 6): eDRAM
read, conversion, shift-and-add, output register, activation, eDRAM write."""
ADC_RATE_HZ = 1.28e9
"""Conversions per second of an ADC: 128 columns in one read (ISAAC, section 6)."""
CLOCK_HZ = 1.2e9
"""Of the digital parts (ISAAC, section 6)."""

# Actions whose sharing among users the plug-in derives from the same table.
EDRAM_BIT = Action(20.45e-12 / 256, f"{ACCELERGY}/isaac_eDRAM.csv: 20.45 pJ per 256 bits")
BUS_BIT = Action(0.054e-12, f"{ACCELERGY}/isaac_eDRAM_bus.csv")
ROUTER_BIT = Action(20.74e-12 / 256, f"{ACCELERGY}/isaac_router.csv: 20.74 pJ per 256 bits")
SHIFT_ADD_ACTION = Action(0.021e-12, f"{ACCELERGY}/isaac_shift_add.csv")
EDRAM_BYTES = 64 * 1024

# Digital arithmetic at 45 nm.
MULTIPLY_8 = Action(0.2e-12, HOROWITZ)
MULTIPLY_32 = Action(3.1e-12, HOROWITZ)
ADD_32 = Action(0.1e-12, HOROWITZ)
MULTIPLIER_8_M2 = 282e-12
MULTIPLIER_32_M2 = 3495e-12
ADDER_32_M2 = 137e-12
"""Areas: `DALLY`."""
DIGITAL_NODE_M, NODE_M = 45e-9, 32e-9
"""The node of the digital figures, and that of the tile."""
