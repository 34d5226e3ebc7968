"""`recfactory search --hardware` on a few hundred rows."""

import json
import shutil
from dataclasses import asdict
from pathlib import Path

import numpy as np
import pytest
import tensorflow as tf
from small_features import SIZES, write_features

import hw
from recfactory.cli import main
from recfactory.codesign.design_file import read_design
from recfactory.codesign.hardware import Hardware, machine_to_dict
from recfactory.codesign.workload import path_workload
from recfactory.errors import UserError
from recfactory.models import registry
from recfactory.search.front import non_dominated_ranks
from recfactory.search.rehearsal import TINY
from recfactory.space.genes import decode
from recfactory.space.sampling import sample_uniform
from recfactory.training.score import measure, probabilities, read_answers
from recfactory.training.source import open_source
from recfactory.tuner import job
from recfactory.tuner.costs import Costs

HARDWARE = Hardware(hw.load("handcrafted"), {"dac_bits": (1, 2), "adc_bits": (None, 5)}, (4, 8), (4, 8), (8,))
ASKED = {
    "sizes": {name: value for name, value in SIZES.items() if "operators" not in name},
    "space": "small",
    "oracle": "pareto",
    "objectives": ["logloss", "energy", "latency"],
    "hardware": HARDWARE.to_dict(),
    "trials": 8,
    "finalists": 2,
    "shot": {"epochs": 1, "batch_size": 100},
    "final": [{"epochs": 2, "batch_size": 200}],
    "seed": 3,
}
EXAMPLE = tf.train.Example()
EXAMPLE.features.feature["a"].bytes_list.value.append(b"a3")
EXAMPLE.features.feature["x"].float_list.value.append(0.7)
OTHER = decode(TINY, sample_uniform(TINY, 1, np.random.default_rng(0)))[0]


@pytest.fixture(scope="module")
def features(tmp_path_factory):
    folder = write_features(tmp_path_factory.mktemp("codesign") / "features")
    (folder / "examples" / "train").mkdir(parents=True)
    with tf.io.TFRecordWriter(str(folder / "examples" / "train" / "part-00000.tfrecord")) as writer:
        writer.write(EXAMPLE.SerializeToString())
    return folder


@pytest.fixture(scope="module")
def out(features, tmp_path_factory):
    out = tmp_path_factory.mktemp("codesign") / "search"
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(job, "measure_costs", lambda *_: Costs(1.0, 0.1, 5.0))
        job.search(features, out, ASKED, 1.0, print)
    return out


def test_what_is_found_names_bits_and_machine(features, out):
    found, design = json.loads((out / "result.json").read_text()), read_design(out / "best.json")
    workload = path_workload(design.path, open_source(features).layout, design.precision)
    estimate = hw.estimate(workload, design.machine)
    assert found["energy_j"] == pytest.approx(float(estimate.energy_j[0]))
    assert found["latency_s"] == pytest.approx(float(estimate.latency_s[0]))
    assert found["utilisation"] <= 1
    assert {bits.weight for bits in design.precision.bits.values()} <= {4, 8}


def test_a_search_of_machines_goes_on_after_an_interruption(features, out, tmp_path):
    again = tmp_path / "again"
    shutil.copytree(out, again)
    (again / "result.json").unlink()
    lines = (out / "journal.jsonl").read_text().splitlines(keepends=True)
    (again / "journal.jsonl").write_text("".join(lines[:6]))
    job.search(features, again, ASKED, 1.0, print)
    before, after = (suggested(folder / "journal.jsonl") for folder in (out, again))
    assert after == before


def suggested(journal):
    records = [json.loads(line) for line in journal.read_text().splitlines()]
    return [record["row"] for record in records if record["kind"] == "suggested"]


def test_the_model_has_few_bits(features, out):
    source, folder = open_source(features), Path(json.loads((out / "result.json").read_text())["model"])
    ranker, precision = registry.load(folder / "model.keras"), read_design(out / "best.json").precision
    assert ranker.embedding.bits == precision.embedding
    bits = {json.dumps(one, sort_keys=True) for one in _entries(ranker.get_config(), "bits")}
    wanted = {json.dumps(asdict(one), sort_keys=True) for one in precision.bits.values()}
    assert bits == wanted
    reached = measure(read_answers(source, "valid"), probabilities(ranker, source, "valid"))
    tuned = json.loads((folder / "result.json").read_text())
    assert reached == pytest.approx((tuned["logloss"], tuned["auc"]))


def _entries(config, name):
    """All mappings of a configuration that stand under a name."""
    if isinstance(config, list | tuple):
        return [found for one in config for found in _entries(one, name)]
    if not isinstance(config, dict):
        return []
    own = [config[name]] if isinstance(config.get(name), dict) else []
    return own + [found for one in config.values() for found in _entries(one, name)]


def test_it_is_trained_and_exported_with_its_bits(features, out, tmp_path, capfd):
    made = tmp_path / "model"
    arguments = ["train", "--features", features, "--model", out / "best.json", "--out", made]
    assert main([*[str(argument) for argument in arguments], "--json"]) == 0
    trained = json.loads(capfd.readouterr().out)
    tuned = json.loads((made / "few_bits" / "result.json").read_text())
    names = ("logloss", "auc", "weights_sha256")
    assert [trained[name] for name in names] == [tuned[name] for name in names]
    alone = json.loads((made / "result.json").read_text())
    assert trained["float"] == {name: alone[name] for name in names}
    assert read_design(made / "path.json") == read_design(out / "best.json")
    assert json.loads((made / "exported.json").read_text()) == tuned["weights_sha256"]
    served = tf.saved_model.load(str(made / "saved_model")).signatures["serving_default"]
    answer = served(tf.constant([EXAMPLE.SerializeToString()]))["ctr"]
    a, b = open_source(features).layout.fields
    inputs = {"numbers": tf.constant([[0.7, 0.0]]), "ids": tf.constant([[a.offset + 2 + 3, b.offset]])}
    np.testing.assert_allclose(answer, registry.load(made / "few_bits" / "model.keras")(inputs), atol=1e-5)


def test_several_seeds_are_told_with_their_bits(features, out, tmp_path, capfd):
    arguments = ["train", "--features", features, "--model", out / "best.json", "--out", tmp_path / "model"]
    assert main([*[str(argument) for argument in arguments], "--seeds", "2", "--json"]) == 0
    told = json.loads(capfd.readouterr().out)
    tuned = [
        json.loads((tmp_path / "model" / f"seed-{seed}" / "few_bits" / "result.json").read_text())["logloss"]
        for seed in (0, 1)
    ]
    assert [one["logloss"] for one in told["results"]] == tuned
    assert told["logloss_mean"] == pytest.approx(np.mean(tuned))
    assert told["logloss_std"] == pytest.approx(np.std(tuned, ddof=1))
    assert told["results"][0]["float"]["logloss"] != tuned[0]
    del told["saved_model"]
    assert json.loads((tmp_path / "model" / "summary.json").read_text()) == told


def test_the_front_is_one(out):
    front = json.loads((out / "pareto.json").read_text())
    table = np.array([[one["scores"][n] for n in ("logloss", "energy_j", "latency_s")] for one in front])
    assert (non_dominated_ranks(table) == 0).all()
    for one in front:
        design = read_design(one["file"])
        assert machine_to_dict(design.machine) == one["machine"]
        assert design.precision.bits


def test_on_a_processor_there_are_no_few_bits(features, tmp_path, monkeypatch):
    monkeypatch.setattr(job, "measure_costs", lambda *_: Costs(1.0, 0.1, 5.0))
    asked = {**ASKED, "hardware": {"base": "cpu"}, "objectives": ["logloss", "latency"]}
    found = job.search(features, tmp_path / "out", asked, 1.0, print)
    model = registry.load(Path(found["model"]) / "model.keras")
    source = open_source(features)
    measured = measure(read_answers(source, "valid"), probabilities(model, source, "valid"))
    assert (found["logloss"], found["auc"]) == pytest.approx(measured, rel=1e-5)


def test_every_candidate_is_measured_before_it_is_scored(out):
    records = [json.loads(line) for line in (out / "journal.jsonl").read_text().splitlines()]
    scores = [record["scores"] for record in records if record["kind"] == "finished"]
    assert len(scores) == 10
    assert all(one["energy_j"] > 0 and one["utilisation"] <= 1 for one in scores)
    assert all(one["adc_shortfall"] <= 0 for one in scores)


def test_what_cannot_be_is_told(features, tmp_path):
    for changes, told in (
        ({"oracle": "fgps", "objectives": ["logloss"]}, "two-shot search knows paths alone"),
        ({"hardware": None}, "with hardware also of energy_j"),
        ({"constraints": ["energy<=1e-15"]}, "no candidate keeps"),
        ({"start": [OTHER.to_dict()]}, "the path is of another space than the one searched"),
        (
            {"oracle": "evolution", "objectives": ["logloss"], "start": [OTHER.to_dict()]},
            "pareto or random for a search that starts",
        ),
        ({"hardware": {"base": "handcrafted", "choices": {"rows": [0]}}}, "rows"),
        (
            {"hardware": {"base": "cpu"}, "objectives": ["logloss", "area"], "start": []},
            "no candidate has a score 'area_m2'; there are val_logloss, .*latency_s",
        ),
    ):
        with pytest.raises(UserError, match=told):
            job.search(features, tmp_path / "out", {**ASKED, **changes}, 1.0, print)
        assert not (tmp_path / "out").exists()
