"""Refitting the last layer against plain gradient descent to convergence."""

import numpy as np
import pytest

from recfactory.supernet.refit import refit

ROWS, WIDTH = 600, 5


def problem(seed=0, noise=1.0):
    rng = np.random.default_rng(seed)
    features = rng.normal(size=(ROWS, WIDTH)).astype(np.float32)
    features[:, 1] += 0.5 * features[:, 0]
    logits = features @ [2.0, -1.0, 0.5, 0.0, 1.0] - 1.0
    label = (logits + noise * rng.logistic(size=ROWS) > 0).astype(np.float32)
    weight = rng.choice([0.5, 1.0, 2.0], ROWS).astype(np.float32)
    return features, label, weight


def logloss(coefficients, features, label, weight):
    logits = features.astype(np.float64) @ coefficients[:-1] + coefficients[-1]
    return np.average(np.logaddexp(0.0, logits) - label * logits, weights=weight)


def reference(features, label, weight, start, decay, steps=4000):
    """Minimises the mean LogLoss plus decay/2 * sum (deviation * (slope - start))^2; the bias is free."""
    features, share = features.astype(np.float64), weight / weight.sum()
    mean = share @ features
    variance = share @ (features - mean) ** 2
    found = start.astype(np.float64).copy()
    for _ in range(steps):
        logits = features @ found[:-1] + found[-1]
        residual = share * (1 / (1 + np.exp(-logits)) - label)
        slopes = residual @ features + decay * variance * (found[:-1] - start[:-1])
        # The bias at the mean features is free: in these coordinates the pull is on the slopes alone.
        found -= 0.5 * np.append(slopes, residual.sum())
    return found


@pytest.mark.parametrize("decay", [0.0, 1e-3, 0.1])
@pytest.mark.parametrize("start", [np.zeros(WIDTH + 1), np.array([1.0, 1.0, -1.0, 0.5, 0.0, 2.0])])
def test_equals_gradient_descent_to_convergence(decay, start):
    data = problem()
    np.testing.assert_allclose(
        refit(*data, start, decay), reference(*data, start, decay), atol=5e-3, rtol=5e-3
    )


def test_improves_on_its_start():
    data, start = problem(noise=0.05), np.full(WIDTH + 1, 0.1)
    fitted = refit(*data, start, 1e-6)
    assert logloss(fitted, *data) < 0.2 * logloss(start, *data)


def test_a_huge_decay_keeps_the_slopes():
    data, start = problem(), np.array([1.0, -2.0, 0.5, 0.0, 1.0, 0.3])
    fitted = refit(*data, start, 1e6)
    np.testing.assert_allclose(fitted[:-1], start[:-1], atol=1e-4)
    assert logloss(fitted, *data) <= logloss(start, *data) + 1e-6


@pytest.mark.parametrize("decay", [1e-6, 1e-2])
def test_the_scale_of_features_does_not_matter(decay):
    """Nor where they lie; the start is the same function."""
    features, label, weight = problem()
    start = np.array([1.0, 0.5, -1.0, 0.5, 0.2, 0.1])
    scale, offset = np.array([1e-3, 10.0, 1.0, 300.0, 0.1]), np.array([1e-3, -5.0, 0.0, 100.0, 0.3])
    moved = (features * scale + offset).astype(np.float32)
    slopes = start[:-1] / scale
    fitted = refit(features, label, weight, start, decay)
    again = refit(moved, label, weight, np.append(slopes, start[-1] - slopes @ offset), decay)
    np.testing.assert_allclose(moved @ again[:-1] + again[-1], features @ fitted[:-1] + fitted[-1], atol=0.02)


def test_a_constant_feature_is_harmless():
    features, label, weight = problem()
    with_constant = np.concatenate([features, np.full((ROWS, 1), 3.0, np.float32)], 1)
    start = np.zeros(WIDTH + 1)
    fitted = refit(features, label, weight, start, 1e-3)
    again = refit(with_constant, label, weight, np.zeros(WIDTH + 2), 1e-3)
    assert np.isfinite(again).all()
    assert logloss(again, with_constant, label, weight) == pytest.approx(
        logloss(fitted, features, label, weight), abs=1e-4
    )


def test_a_row_of_weight_two_is_two_rows():
    features, label, _ = problem()
    weight = np.ones(ROWS, np.float32)
    weight[:100] = 2.0
    start = np.zeros(WIDTH + 1)
    fitted = refit(features, label, weight, start, 1e-3)
    twice = [np.concatenate([array, array[:100]]) for array in (features, label)]
    again = refit(*twice, np.ones(ROWS + 100, np.float32), start, 1e-3)
    np.testing.assert_allclose(fitted, again, atol=5e-3)
