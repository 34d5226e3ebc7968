import time

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from recfactory.errors import UserError
from recfactory.search.entropy import entropy
from recfactory.search.farthest import Farthest, choose_farthest
from recfactory.space.effective import hamming


def naive(columns, farthest, rng):
    """The same draws, with the distances of all pairs and a set of what is left."""
    order, chosen = list(range(len(columns))), []
    size = min(farthest.size, len(columns))
    while len(chosen) < size:
        left = order[len(chosen) :]
        drawn = rng.choice(len(left), min(farthest.drawn, len(left)), replace=False)
        distances = hamming(columns[[left[place] for place in drawn]], columns[chosen]).sum(axis=1)
        moved = min(farthest.moved if chosen else farthest.drawn, size - len(chosen))
        farthest_ones = sorted(drawn[(-distances).argsort(kind="stable")[:moved]].tolist())
        for place in farthest_ones:
            # What is drawn next depends on the order of those left: the chosen one swaps with the first.
            at = len(chosen) + order[len(chosen) :].index(left[place])
            order[len(chosen)], order[at] = order[at], order[len(chosen)]
            chosen.append(left[place])
    return chosen


@settings(max_examples=60)
@given(st.integers(0, 2**32 - 1), st.integers(1, 60), st.integers(1, 40), st.integers(1, 12), st.data())
def test_counts_choose_what_all_pairs_do(seed, count, size, drawn, data):
    farthest = Farthest(size, drawn, data.draw(st.integers(1, drawn)))
    columns = np.random.default_rng(seed).integers(5, size=(count, 6)).astype(np.int16)
    places = choose_farthest(columns, farthest, np.random.default_rng(seed))
    assert places.tolist() == naive(columns, farthest, np.random.default_rng(seed))
    assert len(set(places.tolist())) == len(places) == min(size, count)


def test_a_round_takes_those_that_differ_from_the_set():
    columns = np.zeros((400, 10), np.int16)
    columns[390:] = 3
    places = choose_farthest(columns, Farthest(size=210, drawn=200, moved=10), np.random.default_rng(0))
    assert not set(range(390, 400)) <= set(places[:200].tolist())
    assert set(range(390, 400)) <= set(places.tolist())


def test_it_is_more_diverse_than_what_it_is_chosen_from():
    rng = np.random.default_rng(0)
    columns = (rng.random((5000, 40)) < 0.1).astype(np.int16)
    chosen = columns[choose_farthest(columns, Farthest(500, 100, 10), rng)]
    assert entropy(chosen) > 1.3 * entropy(columns)


def test_5500_of_200_000_in_seconds():
    columns = np.random.default_rng(0).integers(4, size=(200_000, 112)).astype(np.int16)
    begin = time.process_time()
    assert len(choose_farthest(columns, Farthest(), np.random.default_rng(0))) == 5_500
    assert time.process_time() - begin < 5


def test_wrong_numbers():
    for numbers, message in (
        ({"size": 0}, "size must be 1 or more"),
        ({"drawn": 0}, "drawn must be 1 or more"),
        ({"drawn": 5, "moved": 6}, "moved must be at most the 5 drawn, not 6"),
        ({"over": "symbols"}, "over must be genes or rows, not 'symbols'"),
    ):
        with pytest.raises(UserError, match=message):
            Farthest(**numbers)


def test_entropy():
    assert entropy(np.array([[1, 0], [1, 0], [1, 0]])) == 0
    assert entropy(np.array([[0, 1], [1, 3]])) == pytest.approx(2)
    assert entropy(np.array([[0], [1], [2], [7]])) == pytest.approx(2)
    shares = [0.5, 0.25, 0.25]
    assert entropy(np.array([[0], [0], [1], [2]])) == pytest.approx(-sum(p * np.log2(p) for p in shares))
