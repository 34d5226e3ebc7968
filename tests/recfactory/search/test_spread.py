"""Finalists of more than one family."""

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from recfactory.search.spread import APART, best_of_start, spread
from recfactory.search.trial import Trial
from recfactory.space.effective import hamming

LENGTH = 40


class Rows:
    """Candidates that are their rows."""

    def architectures(self, rows):
        return rows


def families(seed, count=3, each=10):
    """Rows far from each other, each with others that differ from it in a column or two; the best first."""
    rng = np.random.default_rng(seed)
    rows = np.repeat(rng.integers(0, 9, (count, LENGTH)), each, axis=0)
    for row in rows:
        row[rng.integers(LENGTH, size=2)] = 9
    return [Trial(tuple(row), "first", {"loss": float(place)}) for place, row in enumerate(rows.tolist())]


def test_the_best_of_each_family_comes_before_the_second_of_any():
    trials = families(0, count=6)
    found = spread(Rows(), trials, 3)
    assert [trials.index(trial) // 10 for trial in found] == [0, 1, 2]
    assert found[0] == trials[0]


@given(st.integers(0, 50), st.integers(1, 40))
def test_as_many_as_wanted_the_best_first(seed, count):
    trials = families(seed)
    found = spread(Rows(), trials, count)
    assert len(found) == min(count, len(trials))
    assert len({trial.scores["loss"] for trial in found}) == len(found)
    assert found == sorted(found, key=trials.index)
    assert found[0] == trials[0]


@given(st.integers(0, 50))
def test_apart_while_there_are_enough_such(seed):
    rows = np.array([trial.row for trial in spread(Rows(), families(seed, count=8, each=4), 4)])
    assert (hamming(rows, rows) + LENGTH * np.eye(4) >= APART * LENGTH).all()


def test_half_as_far_apart_comes_before_close_ones():
    first = np.zeros(LENGTH, np.int64)
    far, near = first.copy(), first.copy()
    far[:6], near[:2] = 1, 1
    trials = [
        Trial(tuple(row), "first", {"loss": 0.0})
        for row in (first, near, far, *np.eye(LENGTH, dtype=int)[:5])
    ]
    assert spread(Rows(), trials, 2) == [trials[0], trials[2]]


def test_all_alike_or_none_at_all():
    trials = families(1, count=1)
    assert spread(Rows(), trials, 4) == trials[:4]
    assert spread(Rows(), [], 4) == []


def test_the_best_of_each_architecture_that_a_search_began_from():
    trials = families(1)
    start = [trials[place].row for place in (21, 4, 4)]
    assert best_of_start(Rows(), trials, start) == [trials[4], trials[21]]
    assert best_of_start(Rows(), [], start) == []
    assert best_of_start(Rows(), trials, [(7,) * LENGTH]) == []
    assert best_of_start(Rows(), trials, []) == []
