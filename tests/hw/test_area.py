"""Area and power of a chip that is organised otherwise than ISAAC, by hand."""

from dataclasses import replace

import numpy as np
import pytest
from breakdown import area_by_part

from hw import Workload, estimate, matrix
from hw.area import peak

MM2 = 1e-6
SETTINGS = {
    "rows": 64,
    "cols": 256,
    "dac_bits": 2,
    "adc_bits": 9,
    "adcs_per_crossbar": 2,
    "crossbars_per_ima": 4,
    "imas_per_tile": 10,
    "tiles": 20,
    "lanes": 3,
}
# A tile of 40 crossbars, and so of 80 ADCs, 2,560 rows and 10,240 columns.


@pytest.fixture
def other(handcrafted):
    return replace(handcrafted, **SETTINGS)


def test_area_by_part_by_hand(other):
    # 64 x 64 weights of 4 cells fill a crossbar: 41 of them need a second tile.
    tiles, made = 2, estimate(Workload.of([matrix("m", 64, 64 * 41)]), other)
    multiplier = np.sqrt(282 * 3495)  # of 16 bits, half-way between 8 and 32
    lanes = 3 * (multiplier + 137) * 1e-6 * (32 / 45) ** 2
    parts = {
        "adc": 80 * 1828e-6,
        "dac": 2560 * 0.00017 / 1024 * 2,  # of 2 bits, twice as large as of 1
        "sample_hold": 10240 * 0.00004 / 1024,
        "crossbar": 40 * 64 * 256 * 0.0002 / (8 * 128 * 128),
        "shift_add": 80 * 0.00024 / 8 + 0.00006,
        "registers": 2560 * 0.0021 / 1024 + 10240 * 0.00077 / 1024 + 0.0032,
        "edram": 0.083,
        "bus": 0.090,
        "router": 0.151 / 4,
        "digital": 0.0006 + 0.00024 + lanes + 0.0021,
        "memory": 0,
    }
    wanted = {name: pytest.approx(tiles * mm2 * MM2) for name, mm2 in parts.items()}
    assert area_by_part(made) == wanted


def test_peak_by_hand(other):
    chip = peak(other)
    # 8 bits enter in 4 cycles of 100 ns (128 columns of an ADC at 1.28 GS/s).
    assert chip.macs_per_s == pytest.approx(20 * 40 * 64 * 64 / 400e-9)
    milliwatt = (
        80 * 2 * 1.97 / 1.67
        + 2560 * 4 / 1024 * 2
        + 10240 * 0.01 / 1024
        + 40 * 64 * 256 * 2.4 / (8 * 128 * 128)
        + 80 * 0.2 / 8
        + 2560 * 1.24 / 1024
        + 10240 * 0.23 / 1024
        + (20.7 + 7 + 42 / 4 + 0.52 + 0.05 + 0.4 + 1.68)
    )
    assert chip.power_w == pytest.approx(20 * milliwatt * 1e-3 + 10.4)
