"""Exact metrics: golden values and brute force."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from recfactory.errors import UserError
from recfactory.metrics import (
    auc,
    calibration,
    logloss,
    normalized_entropy,
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
@settings(max_examples=150)
def test_auc_equals_counting_pairs(found):
    label, score, weight = map(list, zip(*found, strict=True))
    assert auc(label, score, weight) == pytest.approx(brute_auc(label, score, weight), abs=1e-12)
    assert auc(label, score) == pytest.approx(brute_auc(label, score, [1.0] * len(label)), abs=1e-12)


@given(rows)
@settings(max_examples=50)
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
