import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from recfactory.space.axes import below_diagonal, first, unit_of, whole


def test_first_and_whole():
    assert first(3, 8).places.tolist() == [0, 1, 2]
    assert (first(3, 8).size, first(3, 8).full, first(3, 8).unit) == (3, 8, 1)
    assert (whole(5).size, whole(5).full, whole(5).unit) == (5, 5, 5)
    assert first(np.array([1, 2]), 8).places is None


def test_unit():
    assert unit_of((16, 48, 64)) == 16
    assert unit_of(dim for dim in (6, 9)) == 3


def test_below_diagonal_is_a_triangle_packed_as_a_rectangle():
    # Pairs of tokens: (2,0) (2,1), then (1,0) in the same row of the rectangle, then (3,0) (3,1) (3,2).
    assert below_diagonal(4, 6).places.tolist() == [1, 2, 0, 3, 4, 5]


@given(st.integers(1, 40), st.integers(0, 5))
def test_below_diagonal_has_every_pair_once(tokens, more):
    axis = below_diagonal(tokens, tokens + more)
    assert axis.size == tokens * (tokens - 1) // 2
    assert axis.full == (tokens + more) * (tokens + more - 1) // 2
    assert sorted(axis.places.tolist()) == list(range(axis.size))


@pytest.mark.parametrize("tokens", [3, 8])
def test_sizes_may_be_arrays(tokens):
    axis = below_diagonal(np.array([tokens, 2]), 9)
    assert axis.size.tolist() == [below_diagonal(tokens, 9).size, 1]
    assert axis.full == 36
