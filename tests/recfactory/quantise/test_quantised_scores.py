"""Scores of paths with few bits on."""

import keras
import numpy as np
import pytest
from few_bits import LAYOUT, all_of, small_space

from recfactory.layers import elastic
from recfactory.metrics import logloss
from recfactory.models.sparse_update import SparseAdam
from recfactory.quantise.precision import Crossbar
from recfactory.space.genes import decode
from recfactory.space.sampling import sample_uniform
from recfactory.supernet.samplers import RandomPaths
from recfactory.supernet.score import Scorer, Scoring
from recfactory.supernet.supernet import Supernet

SPACE = small_space(2)
PATHS = decode(SPACE, sample_uniform(SPACE, 2, np.random.default_rng(3)))


@pytest.fixture(scope="module")
def scorer(source):
    keras.utils.set_random_seed(0)
    net = Supernet(SPACE, LAYOUT, RandomPaths(0))
    net.compile(SparseAdam(0.01))
    for batch in source.in_order("train").unbatch().batch(64).repeat(4):
        net.train_step(batch)
    return Scorer(net, source)


def test_more_bits_are_closer_to_float(scorer):
    for path in PATHS:
        exact = scorer.score(path).logloss
        off = [abs(scorer.score(path, all_of(SPACE, b, b)).logloss - exact) for b in (1, 12)]
        assert off[1] < 2e-3
        assert off[0] > off[1]
        assert scorer.score(path).logloss == exact


def test_one_graph_serves_all_bits_and_machines(scorer):
    noisy = {"adc_bits": 5, "noise": 0.1}
    first, other = Crossbar(16, 2, 1, **noisy), Crossbar(32, 1, 2, **noisy)
    found = {scorer.score(PATHS[0], all_of(SPACE, 6, 6, first)).logloss}
    traced = elastic._compile.cache_info().misses
    found |= {scorer.score(PATHS[0], all_of(SPACE, b, b, c)).logloss for b, c in ((6, other), (4, first))}
    assert elastic._compile.cache_info().misses == traced
    assert len(found) == 3


@pytest.mark.slow
def test_what_a_chip_loses_is_seen(scorer):
    path = PATHS[0]
    plain = scorer.score(path, all_of(SPACE, 6, 6))
    assert plain == scorer.score(path, all_of(SPACE, 6, 6, Crossbar(16, 2, 1, 5)))
    assert scorer.score(path, all_of(SPACE, 6, 6, Crossbar(16, 2, 1, 2))).logloss > plain.logloss
    noisy = all_of(SPACE, 6, 6, Crossbar(16, 2, 1, 5, noise=0.3))
    found = scorer.score(path, noisy)
    assert found.logloss != plain.logloss
    assert found == scorer.score(path, noisy)


def test_a_last_layer_is_pulled_as_much_as_its_rounding_asks_for(scorer, source):
    """Columns of the last layer that are nearly alike get coefficients that cancel, if nothing pulls them."""
    loose = Scorer(scorer.supernet, source, Scoring(decay=1e-2))
    label = np.concatenate([label for _, label, _ in source.in_order("valid")])
    nothing = logloss(label, np.full(len(label), label.mean()), np.ones(len(label)))
    noisy = all_of(SPACE, 8, 8, Crossbar(64, 4, 1, 9, noise=0.05))
    assert max(loose.score(path, noisy).logloss for path in PATHS) < nothing


def test_bits_of_the_table(scorer):
    path = PATHS[0]
    few, many = (scorer.score(path, all_of(SPACE, 16, 16, embedding=bits)) for bits in (1, 12))
    assert abs(many.logloss - scorer.score(path).logloss) < 1e-3
    assert few != many


def test_bits_need_training_rows(scorer, source):
    with pytest.raises(ValueError, match="training rows"):
        Scorer(scorer.supernet, source, Scoring(refit_rows=0)).score(PATHS[0], all_of(SPACE, 8, 8))
