from dataclasses import fields, replace

import pytest

from hw import PRESETS, HardwareError, PIMConfig, Roofline, from_yaml, load, to_yaml
from hw.adc import lossless_bits


@pytest.mark.parametrize("name", PRESETS)
def test_yaml_both_ways(name, tmp_path):
    machine = load(name)
    file = tmp_path / "machine.yaml"
    file.write_text(to_yaml(machine), encoding="utf-8")
    assert load(file) == machine
    assert load(str(file)) == machine


def test_presets_are_what_they_say():
    isaac, handcrafted = load("isaac"), load("handcrafted")
    assert isinstance(isaac, PIMConfig)
    assert replace(isaac, weight_bits=8, activation_bits=8) == handcrafted
    assert isaac.resolution == 8
    assert isaac.crossbars == 168 * 12 * 8
    assert load("recnmp").memory == "nmp"
    assert isinstance(load("cpu"), Roofline)


@pytest.mark.parametrize(
    ("rows", "cell_bits", "dac_bits", "bits"),
    # ISAAC, section 5: log2(R) + v + w, less one where v or w is 1, less one for flipped weights.
    [
        (128, 2, 1, 8),
        (128, 1, 1, 7),
        (64, 4, 1, 9),
        (128, 2, 2, 10),
        (128, 1, 2, 8),
        (100, 2, 1, 8),
        (256, 2, 1, 9),
    ],
)
def test_bits_that_lose_nothing(rows, cell_bits, dac_bits, bits):
    assert lossless_bits(rows, cell_bits, dac_bits) == bits


def test_every_entry_must_be_there():
    lines = to_yaml(load("isaac")).splitlines()
    for field in fields(PIMConfig):
        less = "\n".join(line for line in lines if not line.startswith(f"{field.name}:"))
        with pytest.raises(HardwareError, match=f"here: the entry '{field.name}' is missing"):
            from_yaml(less, "here")


@pytest.mark.parametrize(
    ("entry", "said"),
    [
        ("crossbar_rows: 128", "there is no entry 'crossbar_rows'"),
        ("rows: many", "rows is 'many': write a whole number"),
        ("rows: true", "rows is True: write a whole number"),
        ("rows: 128.5", "rows is 128.5: write a whole number"),
        ("rows: 0", "rows is 0: write a number from 1 to 4096"),
        ("tiles: null", "tiles is None: write a whole number"),
        ("weight_bits: 64", "weight_bits is 64: write a number from 1 to 32"),
        ("adc_bits: 3", "cover 4 to 10 bits, not 3"),
        ("adc_bits: 12", "cover 4 to 10 bits, not 12"),
        ("cell_bits: 5", "cover 4 to 10 bits, not 11"),
        ("adc_law: linear", "there is no ADC law 'linear': choose one of accelergy, doubling, murmann"),
        ("memory: tape", "there is no memory 'tape': choose one of edram, dram, hbm, nmp"),
        ("placement: best", "placement is 'best': write crossbar or cheaper"),
        ("adcs_per_crossbar: 200", "a crossbar has 128 columns"),
        ("machine: gpu", "write machine: pim or machine: roofline"),
        ("rows: 64\nrows: 64", "is not YAML: the key 'rows' stands twice"),
        ("rows: 0100", "rows is '0100': write a whole number"),
        ("tiles: 2:48", "tiles is '2:48': write a whole number"),
        ("rows: 0xff", "rows is '0xff': write a whole number"),
        (f"tiles: {10**400}", "write a number from 1 to 1000000"),
    ],
)
def test_wrong_entries_are_told_in_a_sentence(entry, said):
    name = entry.split(":", maxsplit=1)[0]
    lines = [line for line in to_yaml(load("isaac")).splitlines() if not line.startswith(f"{name}:")]
    with pytest.raises(HardwareError) as told:
        from_yaml("\n".join([*lines, entry]), "pim.yaml")
    assert str(told.value).startswith("pim.yaml")
    assert said in str(told.value)
    assert "\n" not in str(told.value)


@pytest.mark.parametrize(
    ("entry", "said"),
    [
        ("macs_per_s: 0", "macs_per_s is 0.0: write a number above 0"),
        ("macs_per_s: fast", "macs_per_s is 'fast': write a number"),
        ("macs_per_s: .inf", "macs_per_s is inf"),
        ("bits: 0", "bits is 0: write a number from 1 to 32"),
        ("area_m2: -1", "area_m2 is -1.0"),
        (f"macs_per_s: {10**400}", "macs_per_s is inf: write a number above 0"),
        (f"start_s: -{10**400}", "start_s is -inf: write a number of 0 or more"),
        ("macs_per_s: 2:48.5", "macs_per_s is '2:48.5': write a number"),
    ],
)
def test_wrong_rooflines_are_told_in_a_sentence(entry, said):
    name = entry.split(":", maxsplit=1)[0]
    lines = [line for line in to_yaml(load("cpu")).splitlines() if not line.startswith(f"{name}:")]
    with pytest.raises(HardwareError, match=said):
        from_yaml("\n".join([*lines, entry]))


def test_numbers_with_an_exponent_alone():
    """PyYAML takes 9e-12 for text."""
    lines = [line for line in to_yaml(load("cpu")).splitlines() if not line.startswith("energy_per_mac_j")]
    assert from_yaml("\n".join([*lines, "energy_per_mac_j: 9e-12"])).energy_per_mac_j == 9e-12


def test_texts_that_hold_no_machine(tmp_path):
    with pytest.raises(HardwareError, match="is not YAML"):
        from_yaml("a: [", "here")
    with pytest.raises(HardwareError, match="here is nested too deeply"):
        from_yaml("[" * 3000, "here")
    for text in ("&a {machine: pim, rows: *a}", "!!bool maybe", "!!timestamp soon"):
        with pytest.raises(HardwareError, match="here is not YAML"):
            from_yaml(text, "here")
    with pytest.raises(HardwareError, match="here: write settings"):
        from_yaml("- 1", "here")
    with pytest.raises(HardwareError, match="neither a preset nor a file 'isac'"):
        load("isac")
    with pytest.raises(HardwareError, match="cannot be read"):
        load(tmp_path)


def test_bits_that_adcs_lack(changed):
    assert changed(adc_bits=None).adc_shortfall == changed(adc_bits=8).adc_shortfall == 0
    assert changed(adc_bits=6).adc_shortfall == 2
    assert changed(adc_bits=6, dac_bits=2, cell_bits=4).adc_shortfall == 6
