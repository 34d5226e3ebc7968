"""Benchmarks that start from what the search benchmark found, on a few hundred rows."""

import json

import numpy as np
import pytest

from recfactory.benchmarks.codesign import CODESIGN
from recfactory.benchmarks.pruning import METHODS, PRUNING, summarise
from recfactory.benchmarks.search import Settings
from recfactory.benchmarks.winners import read_winners
from recfactory.errors import UserError
from recfactory.features.manifest import write_manifest
from recfactory.features.packed import Encoded, blocks
from recfactory.features.spec import FeatureSpec, write_spec
from recfactory.schema.columns import Categorical, Dense, Label, Schema
from recfactory.space import make_space
from recfactory.space.genes import decode
from recfactory.space.sampling import sample_uniform
from recfactory.training.recipe import Recipe
from recfactory.training.source import open_source

ROWS = {"train": 600, "valid": 300}
SPACE = {
    "space": "full",
    "sizes": {"blocks": 2, "sparse_operators": ["efc"], "dense_dims": [16, 32], "sparse_dims": [16]},
}
RECIPE = {"epochs": 2, "batch_size": 200}


@pytest.fixture(scope="module")
def features(tmp_path_factory):
    import tensorflow as tf

    folder, rng = tmp_path_factory.mktemp("winners") / "features", np.random.default_rng(0)
    schema = Schema(
        name="small",
        label=Label("click"),
        dense=(Dense("x"),),
        categorical=(Categorical("a"), Categorical("b")),
    )
    statistics = {
        "splits": {split: {"rows": count, "clicks": count // 3} for split, count in ROWS.items()},
        "dense": {"x": {"mean": 0.0, "std": 1.0}},
        "categorical": {"a": {}, "b": {}},
    }
    words = {name: tuple(f"{name}{i}".encode() for i in range(6)) for name in "ab"}
    spec = FeatureSpec(schema, words, statistics)
    write_spec(folder, spec)
    for split, count in ROWS.items():
        dense = rng.normal(size=(count, 1)).astype(np.float32)
        ids = np.stack([field.offset + rng.integers(2, 8, count) for field in spec.layout.fields], axis=1)
        label = (rng.random(count) < 1 / (1 + np.exp(1 - dense[:, 0]))).astype(np.float32)
        path = folder / "encoded" / split / "part-00000.tfrecord"
        path.parent.mkdir(parents=True)
        with tf.io.TFRecordWriter(str(path)) as writer:
            for block in blocks(Encoded(dense, ids.astype(np.int32), label, np.ones(count, np.float32))):
                writer.write(block)
    write_manifest(folder, {})
    return folder


@pytest.fixture(scope="module")
def winners(features, tmp_path_factory):
    space = make_space(open_source(features).layout, "full", **SPACE["sizes"])
    paths = decode(space, sample_uniform(space, 2, np.random.default_rng(1)))
    file = tmp_path_factory.mktemp("winners") / "search-small.jsonl"
    rows = [
        {
            "method": "fgps",
            "seed": seed,
            "path": path.to_json(),
            "recipe": Recipe(**RECIPE, seed=seed).to_dict(),
            "valid": {"logloss": 0.6, "auc": 0.5},
        }
        for seed, path in enumerate(paths, 1)
    ]
    file.write_text("".join(f"{json.dumps(row)}\n" for row in [{"method": "mlp", "seed": 1}, *rows]))
    return file


def test_winners_are_read_by_seed(winners, tmp_path):
    found = read_winners(winners)
    assert [winner.seed for winner in found] == [1, 2]
    assert found[1].recipe == Recipe(**RECIPE, seed=2)
    one, same, other = (found[0].job("bits", print, tmp_path, tmp_path, settings=n) for n in (1, 1, 2))
    assert one == same
    assert one.about["architecture"] == other.about["architecture"]
    assert one.about != other.about
    assert one.arguments[1] != other.arguments[1]
    with pytest.raises(UserError, match="run 'recfactory bench search' first"):
        read_winners(tmp_path / "none.jsonl")


def test_one_seed_has_no_deviation():
    scores = {"valid": {"logloss": 0.5}, "macs": 10}
    row = {"whole": scores, "others": [{"valid": {"logloss": 0.6}}], **dict.fromkeys(METHODS, scores)}
    found = summarise([row])
    assert found["valid"]["learned"] == pytest.approx({"logloss": 0.5, "more": -0.05, "more_std": None})


@pytest.mark.slow
@pytest.mark.timeout(1800)
def test_codesigns_cost_as_much_less_as_was_asked(features, winners, tmp_path, monkeypatch):
    one = tmp_path / "search-one.jsonl"
    one.write_text("".join(winners.read_text().splitlines(keepends=True)[:2]))
    small = {
        **SPACE,
        "trials": 8,
        "finalists": 2,
        "shot": {"epochs": 1, "batch_size": 200},
        "final": [RECIPE],
    }
    monkeypatch.setattr(
        "recfactory.benchmarks.winners.settings_of", lambda name: Settings(small, codesign=0.1)
    )
    rows = tmp_path / "rows.jsonl"
    found = CODESIGN.run("small", features, rows, one, tmp_path / "work", print, 2)
    assert (found["seeds"], found["split"]) == (1, "valid")
    assert found["energy_gain"] >= 1.8
    assert found["latency_gain"] >= 1.5
    assert {"impossible"} <= set(found["stretch"])
    assert found["four_bits"]["energy_j"] > 1.5
    assert set(found["bits"]) >= {"float_tuned", "noise_0.02_4"}
    assert abs(found["auc_loss_on_baseline"]) < 0.5
    low, high = found["auc_loss_paired"][1:]
    assert low <= found["auc_loss_paired"][0] <= high
    assert set(found["ablation"]["fixed"]) == {"architecture", "bits", "hardware"}
    assert {"float", "float_tuned", "tuned_4", "adc_6_8", "noise_0.05_4", "adc_6_noise_0.02_8"} <= set(
        found["bits"]
    )
    made = [json.loads(line) for line in rows.read_text().splitlines()]
    again = CODESIGN.run("small", features, rows, one, tmp_path / "work", print, 2)
    assert again == found
    assert [json.loads(line) for line in rows.read_text().splitlines()] == made
    # A row that was interrupted is gone on with: what was trained and searched for it is still there.
    best = {file: file.stat().st_mtime_ns for file in (tmp_path / "work").rglob("model.keras")}
    rows.write_text("".join(f"{json.dumps(row)}\n" for row in made if row["method"] != "codesign"))
    assert CODESIGN.run("small", features, rows, one, tmp_path / "work", print, 2) == found
    assert {file: file.stat().st_mtime_ns for file in best} == best


@pytest.mark.slow
def test_both_ways_to_prune_leave_half_the_macs(features, winners, tmp_path, monkeypatch):
    monkeypatch.setattr("recfactory.benchmarks.winners.settings_of", lambda name: Settings(SPACE))
    found = PRUNING.run("small", features, tmp_path / "rows.jsonl", winners, tmp_path / "work")
    for method in METHODS:
        assert found[f"macs_gain_{method}"] >= 2
        assert found["valid"][method]["logloss"] > 0
