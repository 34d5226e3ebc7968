"""Differences of AUC on the same rows."""

import numpy as np
import pytest

from recfactory.benchmarks.paired import auc_losses, mean_and_interval, over_seeds
from recfactory.metrics import auc
from recfactory.training.score import Answers

RNG = np.random.default_rng(1)
TRUTH = RNG.random(4000)
LABEL = (RNG.random(4000) < TRUTH).astype(np.float32)
ANSWERS = Answers(LABEL, np.ones(4000, np.float32))
GOOD = TRUTH.astype(np.float32)


def test_the_loss_is_the_difference_and_chance_is_around_it():
    bad = (TRUTH + RNG.normal(0, 0.3, 4000)).astype(np.float32)
    losses = auc_losses(ANSWERS, GOOD, bad)
    value, low, high = mean_and_interval([losses, losses])
    assert value == pytest.approx(auc(LABEL, GOOD) - auc(LABEL, bad))
    assert 0 < low < value < high
    # Both models see the same draws: their common luck cancels.
    assert high - low < 4 * 0.5 / np.sqrt(4000)


def test_a_model_loses_nothing_on_itself():
    assert set(auc_losses(ANSWERS, GOOD, GOOD)) == {0.0}


def test_the_interval_of_seeds_is_student_s():
    mean, low, high = over_seeds([0.1, 0.2, 0.3])
    assert mean == pytest.approx(0.2)
    assert [high - mean, mean - low] == pytest.approx([4.303 * 0.1 / np.sqrt(3)] * 2, rel=1e-3)
    assert over_seeds([0.1]) == [0.1, None, None]
