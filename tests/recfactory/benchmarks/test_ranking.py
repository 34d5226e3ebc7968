"""The ranking benchmark: what it measures, and that it goes on where it was interrupted."""

import json

import numpy as np
import pytest
import tensorflow as tf

from pipelines.features import make_features
from recfactory.benchmarks import ranking
from recfactory.benchmarks.nasrec.masked import masked_normalisation
from recfactory.errors import UserError
from recfactory.layers import normalise, normalised
from recfactory.space.space import Space
from recfactory.supernet.shot import ShotRecipe

SMALL = ranking.Settings(
    ShotRecipe(1, 120),
    ShotRecipe(1, 120),
    {"blocks": 1, "dense_dims": (8, 16), "sparse_dims": (4, 8)},
    {"plain": {}},
    paths=4,
)


def test_correlations():
    truth = np.array([0.4, 0.1, 0.3, 0.2])
    found = ranking.correlations(2 * truth + 1, truth)
    assert found == pytest.approx({"kendall": 1, "pearson": 1, "kendall_better_half": 1})
    assert ranking.correlations(-truth, truth)["kendall"] == pytest.approx(-1)
    # Pairs in order: five of six.
    assert ranking.correlations(np.array([4.0, 1, 2, 3]), truth)["kendall"] == pytest.approx(4 / 6)


def test_rows_are_kept_and_not_measured_again(tmp_path, monkeypatch):
    monkeypatch.setitem(ranking.SETTINGS, "small", SMALL)
    features = tmp_path / "features"
    make_features("synthetic:rows=1500,seed=1", features)
    rows = tmp_path / "rows.jsonl"
    measured = ranking.bench_ranking("small", features, rows, log=lambda line: None)
    assert measured["paths"] == 4
    assert measured["seeds"] == 2
    assert -1 <= measured["kendall_better_half"] <= 1
    assert len(measured["designs"]) == 2
    lines = rows.read_text().splitlines()
    assert len(lines) == 4 * 2 + 2
    # A torn last row is measured again, to the same figures.
    rows.write_text("\n".join(lines[:-1]) + "\n" + lines[-1][:20])
    again = []
    assert ranking.bench_ranking("small", features, rows, log=again.append) == measured
    assert len(again) == 1
    assert rows.read_text().splitlines() == lines
    json.dumps(measured)


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
