"""Grids that activations are rounded to."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from recfactory.quantise.grid import best_range, ends, rounded


@pytest.mark.parametrize(
    ("bits", "signed", "expected"),
    [(8, False, (0, 255)), (8, True, (-128, 127)), (1, False, (0, 1)), (1, True, (-1, 1))],
)
def test_ends(bits, signed, expected):
    assert ends(bits, signed) == expected


@settings(max_examples=50)
@given(st.integers(1, 16), st.integers(0, 99), st.booleans())
def test_zero_and_the_ends_are_on_the_grid(bits, seed, signed):
    x = np.random.default_rng(seed).normal(size=100).astype(np.float32)
    low, high = best_range(x if signed else np.abs(x), bits)
    assert (low < 0) == signed
    on_grid = rounded(np.array([low, high, 0.0]), low, high, bits)
    np.testing.assert_allclose(on_grid[:2], [low, high])
    if bits > 1 or not signed:
        assert abs(on_grid[2]) < 1e-9


def test_the_ends_are_at_the_least_error():
    # A few large numbers: with 4 bits they are better clipped, with 12 they are not.
    x = np.append(np.random.default_rng(0).normal(size=5000), [9.0])
    assert best_range(x, 4)[1] < 6
    assert best_range(x, 12)[1] == pytest.approx(9)
    low, high = best_range(x, 4)
    chosen = np.square(rounded(x, low, high, 4) - x).mean()
    assert chosen < np.square(rounded(x, -8 / 7 * 9, 9, 4) - x).mean()


def test_columns_of_other_sizes_are_all_seen():
    x = np.random.default_rng(0).normal(size=(8192, 8))
    x[:, 0] *= 0.01
    assert best_range(x, 8)[1] > 3


def test_nothing_but_zeros():
    assert best_range(np.zeros((3, 2), np.float32), 4) == (0.0, 1.0)
