"""The ranking benchmark: what it measures, and that it goes on where it was interrupted."""

import json

import numpy as np
import pytest
import tensorflow as tf

from pipelines.features import make_features
from recfactory.benchmarks import ranking, search
from recfactory.benchmarks.nasrec.masked import masked_normalisation
from recfactory.benchmarks.ranking_row import MASKED
from recfactory.errors import UserError
from recfactory.layers import normalise, normalised
from recfactory.space.space import Space
from recfactory.supernet.shot import ShotRecipe
from recfactory.training.recipe import Recipe

SMALL = ranking.Settings(
    Recipe(epochs=1, batch_size=500),
    ShotRecipe(1, 120),
    {ranking.PLAIN: {}, MASKED: {}},
    paths=4,
)
SPACE = {"space": "full", "sizes": {"blocks": 1, "dense_dims": (8, 16), "sparse_dims": (4, 8)}}


def test_correlations():
    truth = np.array([0.4, 0.1, 0.3, 0.2])
    found = ranking.correlations(2 * truth + 1, truth)
    assert found == pytest.approx({"kendall": 1, "pearson": 1, "kendall_better_half": 1})
    assert ranking.correlations(-truth, truth)["kendall"] == pytest.approx(-1)
    # Pairs in order: five of six.
    assert ranking.correlations(np.array([4.0, 1, 2, 3]), truth)["kendall"] == pytest.approx(4 / 6)


def test_rows_are_kept_and_not_measured_again(tmp_path, monkeypatch):
    monkeypatch.setitem(search.SETTINGS, "small", search.Settings(SPACE))
    features = tmp_path / "features"
    make_features("synthetic:rows=1500,seed=1", features)
    rows = tmp_path / "rows.jsonl"

    def bench(lines):
        return ranking.bench_ranking("small", features, rows, lines.append, 2, SMALL)

    measured = bench([])
    assert (measured["paths"], measured["seeds"]) == (4, 2)
    assert -1 <= measured["between_trainings"]["kendall"] <= 1
    assert set(measured["designs"]) == {ranking.PLAIN, MASKED}
    plain = measured["designs"][ranking.PLAIN]
    assert set(plain) == {"shared", "refit"}
    lines = rows.read_text().splitlines()
    assert len(lines) == 4 * 2 + 2 * 2
    # A torn last row is measured again, to the same figures.
    rows.write_text("\n".join(lines[:-1]) + "\n" + lines[-1][:20])
    again = []
    assert bench(again) == measured
    assert len(again) == 1
    assert rows.read_text().splitlines() == lines
    json.dumps(measured)


def test_rows_of_other_settings_are_refused(tmp_path, monkeypatch):
    monkeypatch.setitem(search.SETTINGS, "small", search.Settings(SPACE))
    features = tmp_path / "features"
    make_features("synthetic:rows=1500,seed=1", features)
    rows = tmp_path / "rows.jsonl"
    row = {"method": "path 0 from scratch", "seed": 1, "path": "another", "recipe": {}}
    rows.write_text(json.dumps(row) + "\n")
    with pytest.raises(UserError, match="path 0 from scratch, seed 1 was made from another path"):
        ranking.bench_ranking("small", features, rows, print, 1, SMALL)


def test_an_unknown_data_set_is_a_sentence(tmp_path):
    with pytest.raises(UserError, match="there are frappe, kdd12"):
        ranking.bench_ranking("films", tmp_path, tmp_path / "rows.jsonl")


def test_masked_normalisation_is_that_of_padded_outputs():
    space = Space(numbers=2, fields=3, dense_dims=(4, 8), sparse_dims=(4,))
    x = tf.constant(np.random.default_rng(0).normal(size=(3, 4)), tf.float32)
    zero, one = tf.zeros([4]), tf.ones([4])
    padded = tf.pad(x, [[0, 0], [0, 4]])
    expected = normalise.normalise(padded, tf.zeros([8]), tf.ones([8]), tf.zeros([8]))[:, :4]
    with masked_normalisation(space):
        np.testing.assert_allclose(normalised.normalise(x, zero, one, zero), expected, atol=1e-5)
    assert normalised.normalise is normalise.normalise
