"""Rungs 1 to 4 of the validation; 5 is test_monotonic.py, 6 is test_accelforge.py."""

import numpy as np
import pytest

from hw import Workload, components, estimate, matrix
from hw.adc import LAWS, conversion_energy, converter_area
from hw.area import digital_unit_area, peak, tile_area
from hw.arithmetic import multiply_add_energy
from hw.memories import MEMORIES

PICO = 1e-12


def energies(config, *layer, **settings):
    made = estimate(Workload.of([matrix("layer", *layer, **settings)]), config)
    return dict(zip(made.components, made.energy_by_component[0], strict=True))


def test_the_table_of_isaac_closes(isaac, reference):
    chip, figures = peak(isaac), reference["isaac"]
    tera = chip.operations_per_s / 1e12
    exact, published = figures["exact"], figures
    for figure, name in (
        (tera, "tera_operations_per_s"),
        (tera / (chip.area_m2 * 1e6), "tera_operations_per_s_and_mm2"),
        (tera / chip.power_w, "tera_operations_per_s_and_watt"),
    ):
        assert figure == pytest.approx(exact[name], rel=0.005)
        assert round(figure, 1 if figure > 1 else 2) == published[name]
    assert chip.power_w == pytest.approx(figures["chip"]["watt"], rel=0.005)
    assert chip.area_m2 * 1e6 == pytest.approx(figures["chip"]["mm2"], rel=0.005)


def test_ima_and_tile_close(isaac, reference):
    ima = [
        components.ADC,
        components.DAC,
        components.SAMPLE_HOLD,
        components.CELLS,
        components.SHIFT_ADD,
        components.INPUT_REGISTER,
        components.OUTPUT_REGISTER,
    ]
    figures = reference["isaac"]
    assert sum(block.power_w for block in ima) * 1e3 == pytest.approx(figures["ima"]["milliwatt"], rel=0.005)
    assert sum(block.area_m2 for block in ima) * 1e6 == pytest.approx(figures["ima"]["mm2"], rel=0.005)
    tile = sum(tile_area(isaac).values()) - digital_unit_area(isaac)
    assert tile * 1e6 == pytest.approx(figures["tile"]["mm2"], rel=0.005)
    tile_power = (peak(isaac).power_w - components.LINKS.power_w) / isaac.tiles
    assert tile_power * 1e3 == pytest.approx(figures["tile"]["milliwatt"], rel=0.005)


@pytest.mark.parametrize("law", LAWS)
def test_converters_are_those_of_the_sources(law, reference):
    figures = reference["adc"]
    for bits, energy, area in zip(
        figures["bits"], figures["picojoule"][law], figures["square_micrometre"], strict=True
    ):
        assert conversion_energy(law, bits) == pytest.approx(energy * PICO, rel=0.005)
        assert converter_area(bits) == pytest.approx(area * PICO, rel=0.005)


def test_actions_are_those_of_the_sources(reference):
    figures = reference["actions"]
    assert 256 * components.EDRAM_BIT.energy_j == pytest.approx(figures["edram_256_bits"] * PICO)
    assert components.BUS_BIT.energy_j == pytest.approx(figures["bus_bit"] * PICO)
    assert 256 * components.ROUTER_BIT.energy_j == pytest.approx(figures["router_256_bits"] * PICO)
    assert components.SHIFT_ADD_ACTION.energy_j == pytest.approx(figures["shift_add"] * PICO)


def test_digital_arithmetic_is_that_of_the_source_but_for_the_node(reference):
    figures, shrink = reference["digital"], 32 / 45
    for bits in (8, 32):
        expected = (figures[f"multiply_{bits}"] + figures["add_32"]) * PICO * shrink
        assert multiply_add_energy(bits, bits) == pytest.approx(expected)


def test_memories_are_those_of_the_sources(reference):
    figures = reference["memory"]
    low, high = figures["dram_64_bits_nanojoule"]
    dram, nmp = MEMORIES["dram"], MEMORIES["nmp"]
    assert low * 1e-9 <= 64 * dram.energy_j_per_bit <= high * 1e-9
    assert MEMORIES["hbm"].energy_j_per_bit == pytest.approx(figures["hbm_bit_picojoule"] * PICO)
    assert 1 - nmp.energy_j_per_bit / dram.energy_j_per_bit == pytest.approx(figures["nmp_energy_saved"])
    assert dram.access_s / nmp.access_s == pytest.approx(figures["nmp_times_faster"])


def test_energy_of_a_16_bit_multiply_accumulate_by_component(isaac, reference):
    spent = energies(isaac, 128, 16)
    per_mac = {name: energy / (128 * 16) / PICO for name, energy in spent.items()}
    figures = dict(reference["energy_per_16_bit_mac"])
    # The table gives the ADC at 1.28 GS/s; the law's 1.67 pJ are for 1.2 GS/s.
    assert per_mac["adc"] * 1.2 / 1.28 == pytest.approx(figures.pop("adc"), rel=0.005)
    # The plug-in divides the shift-and-add's power by 1.2 GHz too.
    assert per_mac["shift_add"] * 1.2 / 1.28 == pytest.approx(figures.pop("shift_add"), rel=0.02)
    del figures["source"]
    for name, energy in figures.items():
        assert per_mac[name] == pytest.approx(energy, rel=0.03)


def macro(config, bits):
    """Picojoule per MAC of a full crossbar, without eDRAM, bus and router, which AccelForge's macro lacks."""
    outputs = 128 // (bits // 2)
    spent = energies(config, 128, outputs, weight_bits=bits, activation_bits=bits)
    inside = sum(spent.values()) - spent["edram"] - spent["bus"] - spent["router"]
    return inside / (128 * outputs) / PICO


def test_energy_of_a_macro_beside_accelforge(isaac, reference):
    assert macro(isaac, 16) == pytest.approx(reference["accelforge"]["at_16_bits"], rel=0.25)
    for energy in reference["accelforge"]["at_8_bits"]:
        assert macro(isaac, 8) == pytest.approx(energy, rel=0.40)


def test_arrays_are_the_ceilings(handcrafted, reference):
    figures = reference["arrays"]
    for inputs, outputs, bits, crossbars in figures["layers"]:
        made = estimate(Workload.of([matrix("layer", inputs, outputs, weight_bits=bits)]), handcrafted)
        assert made.arrays.tolist() == [[crossbars]]
    widths = figures["perceptron"]["widths"]
    layers = [
        matrix(f"layer{i}", *widths[i : i + 2], weight_bits=figures["perceptron"]["weight_bits"])
        for i in range(len(widths) - 1)
    ]
    made = estimate(Workload.of(layers), handcrafted)
    assert made.arrays.sum() == figures["perceptron"]["crossbars"]
    np.testing.assert_allclose(made.utilisation, made.arrays.sum() / (168 * 12 * 8))
