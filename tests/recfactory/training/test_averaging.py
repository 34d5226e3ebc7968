"""The running mean of weights: its values, and that it is what a training leaves."""

from dataclasses import replace
from pathlib import Path

import keras
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from recfactory.training import loop
from recfactory.training.averaging import STRIDE, WARM_UP, WeightMean
from recfactory.training.recipe import Recipe
from recfactory.training.train import train

RECIPE = Recipe(hidden=(16, 8), embedding_dim=4, batch_size=100, epochs=3, learning_rate=0.01)


def walked(decay: float, steps: int, epochs: int, path) -> float:
    """The mean of a weight that is `path(n)` after step n, after some epochs."""
    weight = keras.Variable(path(0))
    mean = WeightMean([weight], decay, steps)
    for epoch in range(epochs):
        for step in range(1, steps + 1):
            weight.assign(path(epoch * steps + step))
            mean.step(epoch, step)
    return float(mean.values()[0])


@given(st.floats(0.5, 0.99), st.integers(1, 30), st.integers(1, 5))
def test_a_mean_lies_within_what_it_averages_and_near_its_end(decay: float, steps: int, epochs: int) -> None:
    """On a weight that moves by 1 a step, the distance to its last value is the mean's lag in steps."""
    total = steps * epochs
    lag = total - walked(decay, steps, epochs, float)
    assert -1e-3 <= lag <= min(total, total / WARM_UP + 1, 1 / (1 - decay) + STRIDE)


def test_the_mean_of_each_step_is_the_exponential_one() -> None:
    random = np.random.default_rng(1).normal(size=7 * STRIDE + 1).astype(np.float32)
    expected = random[0]
    for number in range(STRIDE, len(random), STRIDE):
        kept = min(0.6, number / (number + WARM_UP)) ** STRIDE
        expected = kept * expected + (1 - kept) * random[number]
    found = walked(0.6, len(random) - 1, 1, lambda number: random[number])
    assert found == pytest.approx(expected, rel=1e-5)


def test_the_last_step_of_an_epoch_counts_though_it_is_not_its_turn() -> None:
    assert walked(0.9, STRIDE + 1, 1, lambda number: float(number == STRIDE + 1)) > 0.09


def test_the_weights_come_back() -> None:
    weight = keras.Variable([1.0, 2.0])
    mean = WeightMean([weight], 0.5, 1)
    weight.assign([3.0, 6.0])
    with mean.applied():
        np.testing.assert_array_equal(weight, [1.0, 2.0])
    np.testing.assert_array_equal(weight, [3.0, 6.0])


def test_it_goes_on_from_what_is_known_of_it() -> None:
    weight = keras.Variable(1.0)
    assert float(WeightMean([weight], 0.5, 1, [np.float32(7)]).values()[0]) == 7


def test_without_averaging_the_weights_are_as_the_last_step_left_them() -> None:
    weight = keras.Variable(1.0)
    mean = WeightMean([weight], 0, 1)
    mean.step(0, 1)
    assert mean.values() == []
    with mean.applied():
        assert float(weight.numpy()) == 1


@pytest.mark.parametrize("averaging", [0.9, 0.0])
def test_training_leaves_the_mean(
    averaging: float, features: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Of the best epoch, and of the last one here, since each is better than those before."""
    means: list[WeightMean] = []

    def remembered(*arguments, **options) -> WeightMean:
        means.append(WeightMean(*arguments, **options))
        return means[0]

    monkeypatch.setattr(loop, "WeightMean", remembered)
    recipe = replace(RECIPE, averaging=averaging)
    result = train(features, "mlp", tmp_path / "model", recipe, lambda line: None)
    assert result["best_epoch"] == result["epochs"] == 3
    trained = keras.models.load_model(tmp_path / "model" / "model.keras").trainable_variables
    assert len(means[0].values()) == (len(trained) if averaging else 0)
    for mean, weight in zip(means[0].values(), trained if averaging else [], strict=True):
        np.testing.assert_allclose(weight, mean, rtol=1e-6)
