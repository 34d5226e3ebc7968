"""The state of a model when it is judged: what it knows of the rows as a whole."""

from pathlib import Path

import hypothesis.extra.numpy as hnp
import keras
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy.special import expit

from recfactory.layers.normalise import MOMENTUM
from recfactory.models import registry
from recfactory.training.recipe import Recipe
from recfactory.training.score import measure, probabilities, read_answers
from recfactory.training.settling import FARTHEST, Settler, shift
from recfactory.training.source import open_source
from recfactory.training.train import train

RECIPE = Recipe(hidden=(16, 8), embedding_dim=4, dropout=0.5, batch_size=2500)


def built(features: Path, recipe: Recipe = RECIPE):
    source = open_source(features)
    return source, registry.build("mlp", source.layout, recipe, source.prior)


def test_each_layer_has_the_statistics_of_what_it_gets_in_use(features: Path) -> None:
    source, ranker = built(features)
    deep = ranker.tower.deep
    Settler(ranker, source, RECIPE).settle(0)
    ((inputs, *_),) = source.epoch(RECIPE, 0, 0)  # one batch holds all rows
    hidden = ranker.embedding(inputs["ids"])
    fed = np.concatenate([inputs["numbers"], np.reshape(hidden, (len(hidden), -1))], axis=1)
    for dense, norm in zip(deep.hidden, deep.norms, strict=True):
        made = fed @ dense.kernel.numpy()
        np.testing.assert_allclose(norm.moving_mean, made.mean(axis=0), rtol=1e-4, atol=1e-5)
        np.testing.assert_allclose(norm.moving_variance, made.var(axis=0), rtol=1e-3, atol=1e-6)
        fed = np.maximum(norm(made, training=False), 0)


def test_training_goes_on_as_before(features: Path) -> None:
    source, ranker = built(features)
    Settler(ranker, source, RECIPE).settle(0)
    deep = ranker.tower.deep
    assert [norm.momentum for norm in deep.norms] == [MOMENTUM, MOMENTUM]
    assert [drop.rate for drop in deep.drops] == [0.5, 0.5]


def test_a_model_without_such_layers_has_its_prior_moved_and_nothing_else(features: Path) -> None:
    source, ranker = built(features, Recipe(hidden=(16,), embedding_dim=4, batch_norm=False))
    before = ranker.get_weights()
    Settler(ranker, source, RECIPE).settle(0)
    (own,) = [place for place, values in enumerate(before) if values.shape == ()]
    for place, (mine, other) in enumerate(zip(ranker.get_weights(), before, strict=True)):
        assert (mine == other).all() == (place != own)
    ((inputs, label, weight),) = source.epoch(RECIPE, 0, 0)
    said = np.average(ranker(inputs), weights=weight)
    assert said == pytest.approx(np.average(label, weights=weight), rel=1e-4)


@given(
    hnp.arrays(np.float32, 20, elements=st.floats(-8, 8, width=32)),
    st.integers(1, 19),
    hnp.arrays(np.float32, 20, elements=st.floats(0.125, 4, width=32)),
)
def test_the_shift_makes_the_mean_prediction_the_share_of_clicks(logits, clicks, weight):
    label = (np.arange(20) < clicks).astype(np.float32)
    moved = shift(logits, label, weight)
    if abs(moved) < FARTHEST:
        said = np.average(expit(logits.astype(np.float64) + moved), weights=weight)
        assert said == pytest.approx(np.average(label, weights=weight), rel=1e-6)


def test_rows_of_one_label_move_nothing():
    logits, ones = np.zeros(3, np.float32), np.ones(3, np.float32)
    assert shift(logits, ones, ones) == shift(logits, 0 * ones, ones) == shift(logits, ones, 0 * ones) == 0


def test_a_model_of_few_steps_is_calibrated(features: Path, tmp_path: Path) -> None:
    recipe = Recipe(hidden=(32, 32, 32, 32), batch_size=2500, epochs=3, learning_rate=0.02, patience=3)
    train(features, "mlp", tmp_path / "model", recipe, lambda line: None)
    source = open_source(features)
    model = keras.models.load_model(tmp_path / "model" / "model.keras")
    answers = read_answers(source, "valid")
    clicks = np.average(answers.label, weights=answers.weight)
    said = np.average(probabilities(model, source, "valid"), weights=answers.weight)
    assert said == pytest.approx(clicks, rel=0.1)


def test_the_better_state_is_judged_and_training_goes_on_from_its_own(features: Path) -> None:
    source, ranker = built(features)
    answers = read_answers(source, "valid")
    ranker.prior.assign(3.0)
    before = ranker.get_weights()
    as_left = measure(answers, probabilities(ranker, source, "valid"))
    settler = Settler(ranker, source, RECIPE)
    with settler.judged(0) as (logloss, _):
        assert logloss == measure(answers, probabilities(ranker, source, "valid"))[0] < as_left[0]
    for mine, other in zip(ranker.get_weights(), before, strict=True):
        np.testing.assert_array_equal(mine, other)
    ranker.prior.assign(np.log(source_clicks(answers) / (1 - source_clicks(answers))))
    settler.settle = lambda epoch: ranker.prior.assign_add(2.0)  # a bad state
    with settler.judged(0) as (logloss, _):
        assert logloss == measure(answers, probabilities(ranker, source, "valid"))[0]
        assert float(ranker.prior) < 1


def source_clicks(answers) -> float:
    return float(np.average(answers.label, weights=answers.weight))
