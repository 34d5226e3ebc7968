import json

import numpy as np
import pytest

import hw
from recfactory.cli import main
from recfactory.codesign.design_file import precision_from_dict, precision_to_dict, read_design, write_design
from recfactory.codesign.designs import Design, Designs
from recfactory.codesign.hardware import Hardware
from recfactory.errors import UserError
from recfactory.features.layout import make_layout
from recfactory.files import read_json, write_json
from recfactory.models.registry import find
from recfactory.quantise.precision import Precision
from recfactory.search.rehearsal import SPACE
from recfactory.space.path_file import read_path, read_recipe, write_path

LAYOUT = make_layout(("a", "b", "c"), [("x", 1, 10), ("y", 1, 20)])
CHOICES = {"rows": (64, 128), "placement": ("crossbar", "cheaper")}
GRID = Hardware(hw.load("handcrafted"), CHOICES, (4, 8), (4, 8), (8, 16), noise=0.05)
DESIGNS = Designs(SPACE, GRID, LAYOUT)
FOUND = DESIGNS.decode(DESIGNS.sample(20, np.random.default_rng(0)))


def test_both_ways(tmp_path):
    assert any(design.precision.digital for design in FOUND)
    for design in [*FOUND, Design(FOUND[0].path, Precision({}), hw.load("cpu"))]:
        write_design(tmp_path / "best.json", design)
        assert read_design(tmp_path / "best.json") == design
        assert precision_from_dict(precision_to_dict(design.precision), SPACE) == design.precision


def test_it_is_a_path_file(tmp_path):
    file = tmp_path / "best.json"
    write_design(file, FOUND[0], scores={"logloss": 0.4}, recipe={"dropout": 0.0})
    assert read_path(file) == find(str(file)) == FOUND[0].path
    assert read_recipe(file) == {"dropout": 0.0}
    write_path(file, FOUND[0].path)
    assert read_design(file) is None


@pytest.mark.parametrize(
    ("change", "sentence"),
    [
        (lambda values: values.pop("machine"), "machine"),
        (
            lambda values: values["machine"].update(rows=0),
            "machine: rows is 0: write a number from 1 to 4096",
        ),
        (lambda values: values["machine"].pop("rows"), "machine: the entry 'rows' is missing"),
        (lambda values: values.pop("precision"), "precision: expected a mapping of bits"),
        (lambda values: values["precision"].update(bits=[1]), "bits: expected a mapping"),
        (lambda values: values["precision"]["bits"].update(block_9_fm={}), "no operator 'block_9_fm'"),
        (
            lambda values: values["precision"]["bits"].update(block_3_head={"weight": 4}),
            "an entry is missing",
        ),
        (
            lambda values: values["precision"]["crossbar"].update(rows="x"),
            "crossbar: rows must be a whole number",
        ),
        (
            lambda values: values["precision"]["bits"]["block_3_head"].update(activation=32),
            "precision: block_3_head: activation must be from 1 to 16, not 32",
        ),
        *(
            (lambda values, wrong=wrong: values["precision"].update(digital=wrong), "digital must be a list")
            for wrong in ("block_1_dense", ["block_9_fm"], [["block_1_dense"]], None)
        ),
        (lambda values: values["precision"].update(embedding=-3), "embedding must be from 1 to 32, not -3"),
        (
            lambda values: values["precision"].update(embedding="many"),
            "precision: embedding must be a whole number",
        ),
    ],
)
def test_a_wrong_file_is_a_sentence(tmp_path, change, sentence):
    file = tmp_path / "best.json"
    write_design(file, FOUND[0])
    values = read_json(file)
    change(values)
    write_json(file, values)
    with pytest.raises(UserError, match=sentence) as raised:
        read_design(file)
    assert str(file) in str(raised.value)
    assert json.loads(file.read_text())


@pytest.mark.parametrize("seeds", [1, 2])
def test_a_wrong_design_is_refused_before_its_path_is_trained(tmp_path, capfd, seeds):
    file = tmp_path / "best.json"
    write_design(file, FOUND[0])
    values = read_json(file)
    values["machine"]["rows"] = 0
    write_json(file, values)
    arguments = ["--features", "nowhere", "--model", str(file), "--out", str(tmp_path / "model")]
    assert main(["train", *arguments, "--seeds", str(seeds)]) == 1
    told = capfd.readouterr().err
    assert told.startswith(f"recfactory train: '{file}': machine: rows is 0")
    assert not (tmp_path / "model").exists()
