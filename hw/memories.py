"""The memories that embedding tables can lie in.

Timing of DRAM: JEDEC JESD79-4, DDR4-3200AA: tRCD = CL = 13.75 ns, tRC = 45.75 ns, 16 banks; a burst of 64
bytes takes 2.5 ns at 25.6 GB/s. An embedding is a random access: every one opens a row, so a channel
accepts a new one each max(burst, tRC / banks). The window in which a rank opens four rows at most (nFAW) is
left out (assumption: devices of x4, with 10 ns, or two ranks of x8, with 21 ns, so that it does not bind).
"""

from dataclasses import dataclass

from hw.components import CLOCK_HZ, EDRAM, EDRAM_BIT, EDRAM_BYTES, HOROWITZ, READ_S
from hw.errors import HardwareError

_DDR4_ACCESS_S, _DDR4_BURST_S, _ROW_CYCLE_S, _BANKS = 27.5e-9, 2.5e-9, 45.75e-9, 16
_RECNMP = "Ke et al., RecNMP, ISCA 2020"
_RECNMP_FASTER, _RECNMP_SAVES = 9.8, 0.458
_HBM2_CHANNELS = 8


@dataclass(frozen=True)
class Memory:
    """A kind of memory.

    Args:
        energy_j_per_bit: of a read, with the way to the chip.
        burst_bits: what a read brings at least, and in multiples of.
        access_s: until a read's data are there.
        interval_s: from one read to the next.
        area_m2_per_bit: on the chip; 0 for memory beside it.
        source: of the figures.
    """

    energy_j_per_bit: float
    burst_bits: int
    access_s: float
    interval_s: float
    area_m2_per_bit: float
    source: str


_DRAM_J_PER_BIT = 1.3e-9 / 64
_DRAM_ACCESS_S = _DDR4_ACCESS_S + _DDR4_BURST_S
_DRAM_INTERVAL_S = max(_DDR4_BURST_S, _ROW_CYCLE_S / _BANKS)

MEMORIES = {
    "edram": Memory(
        EDRAM_BIT.energy_j,
        256,
        READ_S,
        1 / CLOCK_HZ,
        EDRAM.area_m2 / (8 * EDRAM_BYTES),
        f"{EDRAM_BIT.source}; an access is a stage of ISAAC's pipeline",
    ),
    "dram": Memory(
        _DRAM_J_PER_BIT,
        512,
        _DRAM_ACCESS_S,
        _DRAM_INTERVAL_S,
        0.0,
        f"{HOROWITZ}: 1.3-2.6 nJ per 64 bits, the lower end; JEDEC JESD79-4",
    ),
    "hbm": Memory(
        3.9e-12,
        256,
        _DRAM_ACCESS_S,
        _ROW_CYCLE_S / (_BANKS * _HBM2_CHANNELS),
        0.0,
        "O'Connor et al., Fine-grained DRAM, MICRO 2017: HBM2 3.9 pJ/bit; assumption: core timing of DDR4",
    ),
    "nmp": Memory(
        _DRAM_J_PER_BIT * (1 - _RECNMP_SAVES),
        512,
        _DRAM_ACCESS_S / _RECNMP_FASTER,
        _DRAM_INTERVAL_S / _RECNMP_FASTER,
        0.0,
        f"{_RECNMP}: up to 9.8x memory latency, 45.8% memory energy saved, both applied in full to `dram`",
    ),
}
"""By name. `nmp` gets the published best case, although single-valued columns have nothing to pool near
the memory: an assumption in favour of that baseline."""


def memory(name: str) -> Memory:
    """A memory by its name.

    Raises:
        HardwareError: for a name that is not there.
    """
    if name not in MEMORIES:
        raise HardwareError(f"there is no memory '{name}': choose one of {', '.join(MEMORIES)}")
    return MEMORIES[name]
