from pathlib import Path

import pytest
import yaml

import hw
from recfactory.codesign.designs import Designs
from recfactory.codesign.hardware import Hardware, machine_to_dict, read_hardware
from recfactory.errors import UserError
from recfactory.features.layout import make_layout
from recfactory.search.rehearsal import SPACE

LAYOUT = make_layout(("a", "b", "c"), [("x", 1, 10), ("y", 1, 20)])
EXAMPLE = Path(__file__).parents[3] / "examples" / "codesign.yaml"
HANDCRAFTED = hw.load("handcrafted")


def written(folder, **values):
    (folder / "codesign.yaml").write_text(yaml.safe_dump(values))
    return folder / "codesign.yaml"


def test_the_example_is_read_and_written():
    hardware = read_hardware(EXAMPLE)
    assert hardware.is_searched
    assert hardware.base == HANDCRAFTED
    assert Hardware.from_dict(yaml.safe_load(yaml.safe_dump(hardware.to_dict()))) == hardware
    assert Designs(SPACE, hardware, LAYOUT).symbols[-1] == 1 + len(hardware.choices["memory"])


@pytest.mark.parametrize("preset", hw.PRESETS)
def test_of_a_preset_nothing_is_searched(preset):
    hardware = read_hardware(preset)
    assert not hardware.is_searched
    assert hardware.base == hw.load(preset)
    assert Hardware.from_dict(hardware.to_dict()) == hardware


def test_of_the_file_of_a_machine_nothing_is_searched(tmp_path):
    (tmp_path / "pim.yaml").write_text(hw.to_yaml(hw.load("isaac")))
    hardware = read_hardware(tmp_path / "pim.yaml")
    assert not hardware.is_searched
    assert (hardware.weight_bits, hardware.activation_bits, hardware.embedding_bits) == ((16,), (16,), (16,))
    beside = read_hardware(written(tmp_path, base="pim.yaml", weight_bits=[4, 8], adc_law="murmann"))
    assert beside.base.adc_law == "murmann"
    assert beside.weight_bits == (4, 8)
    assert beside.is_searched


@pytest.mark.parametrize(
    ("entry", "said"),
    [
        ("rows: 0100", "rows is '0100': write a whole number"),
        ("tiles: 2:48", "tiles is '2:48': write a whole number"),
        ("rows: 64\nrows: 64", "the key 'rows' stands twice"),
        ("rows: &a [*a]", "not valid YAML"),
        ("rows: " + "[" * 3000, "nested too deeply"),
    ],
)
def test_the_file_of_a_machine_means_the_same_wherever_it_is_named(tmp_path, entry, said):
    name = entry.split(":", maxsplit=1)[0]
    lines = [line for line in hw.to_yaml(HANDCRAFTED).splitlines() if not line.startswith(f"{name}:")]
    machine = tmp_path / "pim.yaml"
    machine.write_text("\n".join([*lines, entry]))
    for file in (machine, written(tmp_path, base="pim.yaml")):
        with pytest.raises(UserError, match=said) as raised:
            read_hardware(file)
        assert "pim.yaml" in str(raised.value)
        assert "\n" not in str(raised.value)


def test_a_machine_is_the_base_but_for_the_choices():
    hardware = Hardware(HANDCRAFTED, {"rows": (64, 128), "memory": ("hbm", "dram")})
    machine = hardware.machine([0, 1])
    assert (machine.rows, machine.memory, machine.cols) == (64, "dram", 128)
    assert machine.adc_bits == machine.resolution == 7


TOO_EXACT = {**machine_to_dict(hw.load("isaac")), "activation_bits": 32}


def test_bits_that_cannot_be_simulated_can_be_read():
    assert Hardware.from_dict({"base": TOO_EXACT}).base.activation_bits == 32
    few = Hardware.from_dict({"base": TOO_EXACT, "activation_bits": [4, 8]})
    assert Designs(SPACE, few, LAYOUT).hardware.activation_bits == (4, 8)


CPU = machine_to_dict(hw.load("cpu"))


def test_a_processor_of_few_bits_can_be_read():
    assert Hardware.from_dict({"base": {**CPU, "bits": 8}}).embedding_bits == (8,)


@pytest.mark.parametrize(
    ("values", "sentence"),
    [
        ({}, "write base: and the name of a machine.*machine: pim"),
        ({"rows": 64}, "write base: and the name of a machine.*machine: pim"),
        (
            {"base": "handcraft"},
            "base: there is neither hardware nor a file.*did you mean 'handcrafted'",
        ),
        ({"base": "handcrafted", "choice": {}}, "there is no entry 'choice'; there are .*choices"),
        ({"base": "handcrafted", "choices": {"row": [64]}}, "choices: 'row' is none; .*did you mean 'rows'"),
        ({"base": "handcrafted", "choices": {64: [64]}}, "choices: '64' is none"),
        ({"base": "handcrafted", "choices": {"weight_bits": [4]}}, "choices: 'weight_bits' is none"),
        ({"base": "handcrafted", "choices": {"rows": 64}}, "choices: rows must be a list"),
        ({"base": "handcrafted", "choices": [1]}, "choices must be settings"),
        ({"base": "handcrafted", "choices": {"rows": [64, 64]}}, "64 is there twice"),
        (
            {"base": "handcrafted", "choices": {"rows": []}},
            "choices: rows must be a list of at least one value",
        ),
        (
            {"base": "handcrafted", "choices": {"rows": [64, 9999]}},
            "rows: none of 200 machines with 9999 can be built",
        ),
        (
            {"base": "handcrafted", "choices": {"rows": ["x"]}},
            "rows: none of 200 machines with x can be built.*whole number",
        ),
        ({"base": "handcrafted", "choices": {"memory": ["tape"]}}, "no memory 'tape'"),
        (
            {"base": "handcrafted", "weight_bits": [4, 40]},
            "weight_bits must be whole numbers from 2 to 24, not 40",
        ),
        ({"base": "handcrafted", "activation_bits": 8}, "activation_bits must be a list"),
        ({"base": "handcrafted", "embedding_bits": ["a"]}, "embedding_bits must be whole numbers"),
        ({"base": "handcrafted", "noise": 1.5}, "noise must be from 0 to below 1, not 1.5"),
        ({"base": "handcrafted", "noise": 10**400}, "noise must be from 0 to below 1, not 1000"),
        ({"base": "handcrafted", "noise": "low"}, "noise must be a number"),
        ({"base": "handcrafted", "adc_law": "mine"}, "no ADC law 'mine'"),
        (
            {"base": "cpu", "weight_bits": [4, 8]},
            "the base is a roofline, of which nothing can be searched .*: leave out weight_bits, or take",
        ),
        ({"base": "cpu", "choices": {"rows": [64]}}, "leave out choices"),
        ({"base": "cpu", "activation_bits": [8], "noise": 0.1}, "leave out activation_bits and noise"),
        ({"base": "cpu", "embedding_bits": [8]}, "computes in its 32 bits alone: leave out embedding_bits"),
        ({"base": {**CPU, "bits": 8}}, "bits of the base must be 32, .*, not 8"),
        ({"base": TOO_EXACT}, "activation_bits must be at most 16, not the base's 32"),
        ({"base": "cpu", "adc_law": "murmann"}, "adc_law is of machines with crossbars"),
    ],
)
def test_a_wrong_file_is_a_sentence(tmp_path, values, sentence):
    file = written(tmp_path, **values)
    with pytest.raises(UserError, match=sentence) as raised:
        Designs(SPACE, read_hardware(file), LAYOUT)
    assert "\n" not in str(raised.value)


def test_a_missing_or_unreadable_file_is_a_sentence(tmp_path):
    with pytest.raises(
        UserError, match=r"neither hardware nor a file 'handcraftet'.*did you mean 'handcrafted'"
    ):
        read_hardware("handcraftet")
    (tmp_path / "bad.yaml").write_text("a: [")
    with pytest.raises(UserError, match="not valid YAML"):
        read_hardware(tmp_path / "bad.yaml")
    with pytest.raises(UserError, match="cannot be read"):
        read_hardware(tmp_path)
