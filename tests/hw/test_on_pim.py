"""What runs on crossbars, by hand, and the choice between them and the digital unit."""

from dataclasses import replace

import pytest
from breakdown import PICO, area_by_part, by_component

from hw import Workload, elementwise, estimate, matrix


@pytest.mark.parametrize("uses", [1, 3])
def test_a_product_by_hand(handcrafted, uses):
    made = estimate(Workload.of([matrix("m", 200, 50, uses=uses)]), handcrafted)
    # 8 bits: 4 cells per weight, 200 columns of cells: 2 blocks of rows, 2 of columns; 8 cycles.
    assert made.arrays.tolist() == [[4]]
    spent = by_component(made)
    conversions = uses * 8 * 50 * 4 * 2
    assert spent["adc"] == pytest.approx(conversions * 1.67 * PICO)
    assert spent["shift_add"] == pytest.approx(conversions * 0.021 * PICO)
    # 10 uW / 1024 and 0.23 mW / 1024, each for 100 ns
    assert spent["sample_hold"] == pytest.approx(conversions * 10e-6 / 1024 * 100e-9)
    assert spent["output_register"] == pytest.approx(conversions * 0.23e-3 / 1024 * 100e-9)
    # 200 rows driven for 2 blocks of columns in 8 cycles: 4 mW / 1024 and 1.24 mW / 1024 for 100 ns
    assert spent["dac"] == pytest.approx(uses * 200 * 2 * 8 * 4e-3 / 1024 * 100e-9)
    assert spent["input_register"] == pytest.approx(uses * 200 * 2 * 8 * 1.24e-3 / 1024 * 100e-9)
    # 2.4 mW / (8 * 128 * 128) for 100 ns
    assert spent["crossbar"] == pytest.approx(uses * 200 * 200 * 8 * 2.4e-3 / 131072 * 100e-9)
    moved = uses * (200 + 50) * 8
    assert spent["edram"] == pytest.approx(2 * moved / 256 * 20.45 * PICO)
    assert spent["bus"] == pytest.approx(moved * 0.054 * PICO)
    assert spent["router"] == pytest.approx(moved / 256 * 20.74 * PICO)
    assert spent["digital"] == spent["memory"] == 0
    # 8 cycles of 100 ns each time, and 6 stages of the pipeline
    busy_s = uses * 0.8e-6
    assert made.latency_s[0] == pytest.approx(busy_s + 0.6e-6)
    assert made.interval_s[0] == pytest.approx(busy_s)
    assert made.examples_per_second[0] == pytest.approx(1 / busy_s)
    assert made.power_w[0] == pytest.approx(made.energy_j[0] / busy_s)


def test_finer_inputs_by_hand(changed):
    product = Workload.of([matrix("m", 200, 50)])
    coarse, fine = (by_component(estimate(product, changed(dac_bits=bits, adc_bits=8))) for bits in (1, 4))
    # A quarter of the cycles, and a DAC of 4 bits takes 8 times the energy of one of 1.
    assert fine["dac"] == pytest.approx(2 * coarse["dac"])
    assert fine["adc"] == pytest.approx(coarse["adc"] / 4)


def test_copies_save_time_for_crossbars(changed):
    efc = Workload.of([matrix("efc", 32, 16, uses=16)])
    one, four, all_at_once = (estimate(efc, changed(copies=copies)) for copies in (1, 4, 99))
    assert one.latency_s[0] == pytest.approx((16 * 8 + 6) * 100e-9)
    assert four.latency_s[0] == pytest.approx((4 * 8 + 6) * 100e-9)
    assert all_at_once.latency_s[0] == pytest.approx((8 + 6) * 100e-9)
    assert [made.arrays[0, 0] for made in (one, four, all_at_once)] == [1, 4, 16]
    assert one.energy_j[0] == four.energy_j[0] == all_at_once.energy_j[0]


@pytest.mark.parametrize(
    ("settings", "cycles", "cycle_s"),
    [
        ({}, 8, 100e-9),
        ({"dac_bits": 2, "adc_bits": 8}, 4, 100e-9),
        ({"dac_bits": 3, "adc_bits": 8}, 3, 100e-9),
        ({"cols": 256}, 8, 200e-9),  # 256 columns / 1.28 GS/s
        ({"cols": 256, "adcs_per_crossbar": 2}, 8, 100e-9),
        ({"adcs_per_crossbar": 4}, 8, 100e-9),  # a read takes 100 ns
        ({"activation_bits": 4}, 4, 100e-9),
    ],
)
def test_cycles(changed, settings, cycles, cycle_s):
    made = estimate(Workload.of([matrix("m", 64, 16)]), changed(**settings))
    assert made.interval_s[0] == pytest.approx(cycles * cycle_s)
    assert made.latency_s[0] == pytest.approx((cycles + 6) * cycle_s)


def test_bits_of_an_operation_go_before_those_of_the_machine(handcrafted, isaac):
    said = Workload.of([matrix("m", 64, 16, weight_bits=4, activation_bits=4)])
    silent = Workload.of([matrix("m", 64, 16)])
    four = replace(handcrafted, weight_bits=4, activation_bits=4)
    assert estimate(said, handcrafted).energy_j == estimate(said, isaac).energy_j
    assert estimate(said, handcrafted).energy_j == estimate(silent, four).energy_j


def test_area_is_of_the_tiles_needed_and_of_one_at_least(changed):
    small = estimate(Workload.of([elementwise("e", 1)]), changed(lanes=1))
    tile = small.area_m2[0]
    assert tile * 1e6 == pytest.approx(0.372, rel=0.01)
    # 96 crossbars in a tile, of 128 x 32 weights of 8 bits each
    for crossbars, tiles in ((96, 1), (97, 2), (192, 2), (193, 3)):
        made = estimate(Workload.of([matrix("m", 128, 32 * crossbars)]), changed(lanes=1))
        assert made.area_m2[0] == pytest.approx(tiles * tile)
        assert made.utilisation[0] == pytest.approx(crossbars / (168 * 96))
    assert estimate(Workload.of([matrix("m", 128, 32 * 97)]), changed(tiles=1)).utilisation[0] > 1


def test_placement_takes_what_is_cheaper_for_each_operation(changed):
    # Few rows fill a crossbar badly, and every use converts again; the digital unit reads the weights once.
    made = Workload.of([matrix("narrow", 16, 16, uses=16), matrix("wide", 1024, 512, after=("narrow",))])
    chosen = estimate(made, changed(placement="cheaper"))
    assert chosen.on_crossbars.tolist() == [[False, True]]
    fixed = estimate(made, changed())
    assert chosen.energy_by_operation[0, 0] < fixed.energy_by_operation[0, 0]
    assert chosen.energy_by_operation[0, 1] == fixed.energy_by_operation[0, 1]
    assert chosen.arrays.tolist() == [[0, 8 * 16]]
    kept = area_by_part(chosen)["edram"] - area_by_part(fixed)["edram"]
    assert kept == pytest.approx(16 * 16 * 8 * 0.083e-6 / 524288)
