"""The bootstrap against theory."""

import numpy as np
import pytest

from recfactory.bootstrap import bootstrap, paired_bootstrap
from recfactory.metrics import logloss


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
