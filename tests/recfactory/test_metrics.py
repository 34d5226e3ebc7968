"""Exact metrics: golden values, brute force, and the bootstrap against theory."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from recfactory.errors import UserError
from recfactory.metrics import (
    auc,
    bootstrap,
    calibration,
    logloss,
    normalized_entropy,
    paired_bootstrap,
    regret,
)


def brute_auc(label, score, weight):
    won = total = 0.0
    for yi, si, wi in zip(label, score, weight, strict=True):
        for yj, sj, wj in zip(label, score, weight, strict=True):
            if yi == 1 and yj == 0:
                total += wi * wj
                won += wi * wj * (1.0 if si > sj else 0.5 if si == sj else 0.0)
    return won / total


rows = st.lists(
    st.tuples(st.integers(0, 1), st.integers(0, 6).map(lambda i: i / 6), st.integers(1, 5).map(float)),
    min_size=2,
    max_size=30,
).filter(lambda found: len({row[0] for row in found}) == 2)


@given(rows)
@settings(max_examples=150, deadline=None)
def test_auc_equals_counting_pairs(found):
    label, score, weight = map(list, zip(*found, strict=True))
    assert auc(label, score, weight) == pytest.approx(brute_auc(label, score, weight), abs=1e-12)
    assert auc(label, score) == pytest.approx(brute_auc(label, score, [1.0] * len(label)), abs=1e-12)


@given(rows)
@settings(max_examples=50, deadline=None)
def test_an_integer_weight_is_a_repeated_row(found):
    label, probability, weight = (np.array(column) for column in zip(*found, strict=True))
    times = weight.astype(int)
    for metric in (auc, logloss, calibration, normalized_entropy):
        repeated = metric(np.repeat(label, times), np.repeat(probability, times))
        assert metric(label, probability, weight) == pytest.approx(repeated, rel=1e-9)


def test_golden_values():
    label, probability = [1, 0, 1, 0], [0.8, 0.3, 0.4, 0.5]
    assert auc(label, probability) == 0.75
    assert logloss(label, probability) == pytest.approx(-np.log([0.8, 0.7, 0.4, 0.5]).mean())
    assert calibration(label, probability) == pytest.approx(1.0)
    assert normalized_entropy(label, probability) == pytest.approx(
        logloss(label, probability) / np.log(2), rel=1e-12
    )
    assert logloss([1], [0.0]) == pytest.approx(-np.log(1e-7))
    assert regret([0.5, 0.2], [0.5, 0.2]) == 0.0
    assert regret([1.0], [0.5]) == pytest.approx(np.log(2), abs=1e-5)


def test_predicting_the_base_rate_has_normalized_entropy_one():
    label = np.array([1, 0, 0, 0, 0])
    assert normalized_entropy(label, np.full(5, 0.2)) == pytest.approx(1.0)


@pytest.mark.parametrize(
    ("metric", "label", "probability", "said"),
    [
        (auc, [1, 1], [0.2, 0.3], "one class only"),
        (normalized_entropy, [0, 0], [0.2, 0.3], "one class only"),
        (calibration, [0, 0], [0.2, 0.3], "no click"),
        (auc, [0, 1], [0.2, float("nan")], "1 of 2 scores are NaN"),
        (logloss, [], [], "no row"),
        (logloss, [0, 1], [0.5], "do not belong together"),
        (logloss, [0, 2], [0.5, 0.5], "between 0 and 1"),
    ],
)
def test_what_cannot_be_computed_is_told(metric, label, probability, said):
    with pytest.raises(UserError, match=said):
        metric(label, probability)


@pytest.fixture(scope="module")
def sample():
    random = np.random.default_rng(5)
    probability = random.uniform(0.05, 0.95, 4000)
    label = (random.random(4000) < probability).astype(float)
    return label, probability


def test_bootstrap_error_of_logloss_is_the_error_of_a_mean(sample):
    label, probability = sample
    loss = -np.log(np.where(label == 1, probability, 1 - probability))
    found = bootstrap(label, probability, ["logloss"], replicates=400, seed=1)["logloss"]
    assert found.value == pytest.approx(loss.mean())
    assert found.standard_error == pytest.approx(loss.std() / np.sqrt(len(loss)), rel=0.15)
    assert found.low < found.value < found.high
    assert found.high - found.low == pytest.approx(2 * 1.96 * found.standard_error, rel=0.15)


def test_bootstrap_error_of_auc_agrees_with_hanley_and_mcneil(sample):
    label, probability = sample
    found = bootstrap(label, probability, ["auc"], replicates=400, seed=1)["auc"]
    a, clicks, others = found.value, label.sum(), (1 - label).sum()
    q1, q2 = a / (2 - a), 2 * a * a / (1 + a)
    variance = (a * (1 - a) + (clicks - 1) * (q1 - a * a) + (others - 1) * (q2 - a * a)) / (clicks * others)
    assert found.standard_error == pytest.approx(np.sqrt(variance), rel=0.25)


def test_bootstrap_is_deterministic_and_seeded(sample):
    assert bootstrap(*sample, seed=3, replicates=20) == bootstrap(*sample, seed=3, replicates=20)
    assert bootstrap(*sample, seed=3, replicates=20) != bootstrap(*sample, seed=4, replicates=20)


def test_pairing_takes_away_the_noise_both_models_share(sample):
    label, probability = sample
    other = np.clip(probability + 0.01, 0, 1)
    alone = bootstrap(label, probability, ["logloss"], seed=1)["logloss"]
    gap = paired_bootstrap(label, probability, other, ["logloss"], seed=1)["logloss"]
    assert gap.value == pytest.approx(logloss(label, probability) - logloss(label, other))
    assert gap.standard_error < alone.standard_error / 5
    assert paired_bootstrap(label, probability, probability)["auc"].standard_error == 0.0
