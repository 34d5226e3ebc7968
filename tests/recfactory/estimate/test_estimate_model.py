"""`recfactory estimate`: the figures, the table, the figure and the sentences."""

import json
import shutil
from dataclasses import replace

import numpy as np
import pytest

import hw
from recfactory.cli import main
from recfactory.codesign.design_file import write_design
from recfactory.codesign.designs import Designs
from recfactory.codesign.hardware import Hardware
from recfactory.estimate.model import OWN, SCORES, estimate_model
from recfactory.estimate.plot import plot_estimated
from recfactory.estimate.table import amount, format_estimated
from recfactory.features.layout import make_layout
from recfactory.features.spec import FeatureSpec, read_spec, write_spec
from recfactory.files import write_json
from recfactory.pruning import cut as cuts
from recfactory.pruning.workload import write_cut
from recfactory.schema.columns import Categorical, Dense, Label, Schema
from recfactory.space import make_space
from recfactory.space.path_file import write_path
from recfactory.training.recipe import Recipe


@pytest.fixture(scope="module")
def features(tmp_path_factory):
    folder = tmp_path_factory.mktemp("estimate") / "features"
    schema = Schema(
        name="small",
        label=Label("click"),
        dense=(Dense("x"), Dense("y")),
        categorical=(Categorical("a"), Categorical("m", separator=" ", max_values=3)),
    )
    statistics = {"dense": {}, "categorical": {"a": {}, "m": {"slots": 3}}}
    words = {name: tuple(f"{name}{i}".encode() for i in range(20)) for name in ("a", "m")}
    write_spec(folder, FeatureSpec(schema, words, statistics))
    return folder


@pytest.fixture(scope="module")
def designs(features):
    layout = read_spec(features).layout
    space = make_space(layout, "small", blocks=2)
    return Designs(space, Hardware(hw.load("handcrafted"), {"rows": (64,)}, (4, 8), (4, 8), (8, 16)), layout)


@pytest.fixture
def best(designs, tmp_path):
    (design,) = designs.decode(rows := designs.sample(1, np.random.default_rng(3)))
    write_design(tmp_path / "best.json", design)
    return tmp_path / "best.json", design, designs.measure(rows)


def refused(capfd, *arguments):
    code = main(["estimate", *map(str, arguments)])
    out, err = capfd.readouterr()
    assert (code in (1, 2), out) == (True, "")
    assert err.count("\n") == 1
    return err


def test_the_folder_of_a_model_is_what_it_holds(features, best, tmp_path):
    file, design, _ = best
    trained, by_hand, pruned = (tmp_path / name for name in ("trained", "by_hand", "pruned"))
    for folder in (trained, by_hand, pruned):
        folder.mkdir()
    shutil.copy(file, trained / "path.json")
    assert estimate_model(str(trained), features).machines.keys() == {OWN, "handcrafted"}
    few = Recipe(hidden=(8,))
    write_json(by_hand / "recipe.json", {"model": "mlp", "features": "", "recipe": few.to_dict()})
    found, expected = estimate_model(str(by_hand), features), estimate_model("mlp", features, (), few)
    assert (found.model, found.macs) == (str(by_hand), expected.macs)
    cut = cuts.whole(design.path)
    write_cut(pruned, design.path, cut)
    before = estimate_model(str(pruned), features).macs
    assert before == design.path.macs
    next(left for part, left in cut.items() if part.role == "sparse" and part.number).out[0] = False
    cuts.close(design.path, cut)
    write_cut(pruned, design.path, cut)
    assert estimate_model(str(pruned), features).macs < before


def test_a_folder_without_a_model(features, tmp_path, capfd):
    said = refused(capfd, "--model", tmp_path, "--features", features)
    assert "holds no trained or pruned model" in said


def test_a_candidate_is_estimated_as_in_its_search(features, best):
    file, _, measured = best
    estimated = estimate_model(str(file), features)
    assert list(estimated.machines) == [OWN, "handcrafted"]
    own = estimated.machines[OWN]
    for name in ("energy_j", "latency_s", "area_m2", "utilisation"):
        assert getattr(own, name)[0] == pytest.approx(measured[name][0])
    assert estimated.macs == measured["macs"][0]


def test_bits_of_a_candidate_go_with_it_to_other_machines(features, best, tmp_path):
    file, design, _ = best
    write_path(tmp_path / "path.json", design.path)
    of_design, of_path = (
        estimate_model(str(each), features, ["isaac"]).machines["isaac"]
        for each in (file, tmp_path / "path.json")
    )
    assert of_design.energy_j[0] < of_path.energy_j[0]  # ISAAC's own are 16


def test_a_path_alone_is_estimated_on_the_default_machine(features, best, tmp_path):
    write_path(tmp_path / "path.json", best[1].path)
    assert list(estimate_model(str(tmp_path / "path.json"), features).machines) == ["handcrafted"]


def test_bits_of_a_file_are_the_machines(features, tmp_path):
    text = "base: handcrafted\nweight_bits: [4]\nactivation_bits: [4]\nembedding_bits: [8]\n"
    (tmp_path / "four.yaml").write_text(text)
    machine = replace(hw.load("handcrafted"), weight_bits=4, activation_bits=4)
    (tmp_path / "same.yaml").write_text(hw.to_yaml(machine))
    names = [str(tmp_path / "four.yaml"), str(tmp_path / "same.yaml"), "handcrafted"]
    four, same, eight = estimate_model("mlp", features, names).machines.values()
    products = [name != "embedding.lookup" for name in four.operations]
    assert four.energy_by_operation[0, products].tolist() == same.energy_by_operation[0, products].tolist()
    assert four.energy_by_component[0, -1] == eight.energy_by_component[0, -1]  # the table


def test_a_part_is_shown_for_its_time_too(features):
    """A machine whose area is not known, first, leaves the order alone."""
    one, two = (
        format_estimated(estimate_model("dcnv2", features, names)).splitlines()
        for names in (["handcrafted", "cpu"], ["cpu", "handcrafted"])
    )
    assert [line[:24] for line in one[2:]] == [line[:24] for line in two[2:]]


def test_machines_stand_side_by_side(features, capfd, tmp_path):
    (tmp_path / "wide.yaml").write_text(hw.to_yaml(hw.load("handcrafted")).replace("rows: 128", "rows: 64"))
    machines = ["handcrafted", "cpu", str(tmp_path / "wide.yaml")]
    asked = [word for name in machines for word in ("--hardware", name)]
    assert main(["estimate", "--model", "dcnv2", "--features", str(features), "--json", *asked]) == 0
    out, err = capfd.readouterr()
    found = json.loads(out)["machines"]
    assert list(found) == sorted(machines)
    for name, one in found.items():
        assert one.keys() >= set(SCORES)
        for whole in ("energy_by_operation", "energy_by_component"):
            assert sum(one[whole].values()) == pytest.approx(one["energy_j"])
        if name != "cpu":
            assert sum(one["area_by_part"].values()) == pytest.approx(one["area_m2"])
    assert found["cpu"]["area_m2"] is None
    header = next(line for line in err.splitlines() if "handcrafted" in line)
    assert header.split()[:2] == ["handcrafted", "cpu"]
    assert header.endswith("wide.yaml")
    assert {len(line) for line in err.splitlines() if line.startswith(("latency", "adc", "cross_1"))} == {87}


def test_the_table_has_the_figures_with_their_units(features):
    estimated = estimate_model("mlp", features, ["handcrafted"], Recipe(hidden=(32,)))
    one, lines = estimated.machines["handcrafted"], format_estimated(estimated).splitlines()
    cells = {line[:24].strip(): line[24:].strip() for line in lines}
    assert cells["energy of an example"] == f"{one.energy_j[0] * 1e9:.3g} nJ"
    assert cells["latency"] == f"{one.latency_s[0] * 1e6:.3g} us"
    assert cells["area of what is used"] == f"{one.area_m2[0] * 1e6:.3g} mm2"
    assert cells["power, pipeline full"] == f"{one.power_w[0] * 1e3:.3g} mW"
    shares = [float(cells[part].split("%")[0]) for part in ("embedding", "hidden_1", "logit")]
    assert sum(shares) == pytest.approx(100, abs=0.2)


def test_a_model_that_does_not_fit_is_told(features, tmp_path):
    small = hw.to_yaml(hw.load("handcrafted")).replace("tiles: 168", "tiles: 1")
    (tmp_path / "small.yaml").write_text(small)
    estimated = estimate_model("dcnv2", features, [str(tmp_path / "small.yaml")])
    assert "does not fit" in format_estimated(estimated)
    assert "does not fit" not in format_estimated(estimate_model("dcnv2", features))


def test_amounts_are_short():
    assert [amount(value, "nJ") for value in (0.0123456, 12345.6, float("nan"))] == [
        "0.0123 nJ",
        "12,346 nJ",
        "not known",
    ]


def test_mistakes_are_sentences(features, best, capfd, tmp_path):
    ask = ("--features", features, "--model")
    assert "no model 'dlm'" in refused(capfd, *ask, "dlm")
    assert "no estimate of the model 'tfrs'" in refused(capfd, *ask, "tfrs")
    assert "there is no path file" in refused(capfd, *ask, tmp_path / "none.json")
    assert "not a features folder" in refused(capfd, "--features", tmp_path, "--model", "dlrm")
    assert "neither hardware nor a file 'tpu'" in refused(capfd, *ask, "dlrm", "--hardware", "tpu")
    (tmp_path / "wrong.yaml").write_text("base: handcrafted\nchoices: {rows: [5000]}\n")
    wrong = refused(capfd, *ask, "dlrm", "--hardware", tmp_path / "wrong.yaml")
    assert f"'{tmp_path / 'wrong.yaml'}': rows is 5000" in wrong
    (tmp_path / "open.yaml").write_text("base: handcrafted\nweight_bits: [4, 8]\n")
    assert "leaves the machine open" in refused(capfd, *ask, "dlrm", "--hardware", tmp_path / "open.yaml")
    assert "name a file that ends with .svg" in refused(capfd, *ask, "dlrm", "--plot", tmp_path / "e.gif")
    other = make_space(make_layout(("a",), [("x", 1, 5)]), "small", blocks=2)
    designs = Designs(other, Hardware(hw.load("handcrafted")), make_layout(("a",), [("x", 1, 5)]))
    write_design(tmp_path / "other.json", designs.decode(designs.sample(1, np.random.default_rng(0)))[0])
    assert "the path is of another space" in refused(capfd, *ask, tmp_path / "other.json")


def test_the_plot_is_drawn(features, tmp_path):
    estimated = estimate_model("dcnv2", features, ["handcrafted", "cpu"])
    for name in ("one.svg", "two.svg"):
        plot_estimated(estimated, tmp_path / name)
    drawn = (tmp_path / "one.svg").read_text()
    assert drawn == (tmp_path / "two.svg").read_text()
    for text in ("energy by component", "area by component", "hidden_1", "handcrafted", "cpu", "not known"):
        assert text in drawn
