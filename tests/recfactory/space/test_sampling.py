import time

import numpy as np
import pytest
from hypothesis import given, settings
from random_paths import seeds, spaces

from recfactory.space import PRESETS, Space
from recfactory.space.effective import effective
from recfactory.space.genes import choices, columns, decode
from recfactory.space.sampling import (
    largest,
    sample_binomial,
    sample_single,
    sample_uniform,
    smallest,
    subsets,
)

FULL = Space(13, 26)
SAMPLERS = [sample_uniform, sample_binomial, sample_single]


def draw(sampler, space=FULL, count=20_000, seed=0):
    return sampler(space, count, np.random.default_rng(seed))


@settings(max_examples=30)
@given(spaces, seeds)
def test_all_are_paths(space, seed):
    for sampler in SAMPLERS:
        assert len(decode(space, draw(sampler, space, 20, seed))) == 20


@pytest.mark.parametrize("sampler", SAMPLERS)
def test_the_same_seed_draws_the_same(sampler):
    assert np.array_equal(draw(sampler, count=50), draw(sampler, count=50))
    assert not np.array_equal(draw(sampler, count=50), draw(sampler, count=50, seed=1))


@pytest.mark.parametrize(
    ("sampler", "last", "second"),
    [
        (sample_uniform, [1 / 4, 1 / 4, 1 / 4, 1 / 4], [1 / 2, 1 / 2]),
        (sample_binomial, [1 / 8, 3 / 8, 3 / 8, 1 / 8], [1 / 2, 1 / 2]),
        (sample_single, [1, 0, 0, 0], [1, 0]),
    ],
)
def test_how_many_sources(sampler, last, second):
    rows = draw(sampler)
    for number, shares in ((7, last), (2, second)):
        for sources in columns(FULL)[number - 1][-2:]:
            drawn = np.bincount(rows[:, sources].sum(axis=1), minlength=len(shares) + 1)
            assert drawn[1:] / len(rows) == pytest.approx(shares, abs=0.02)
            assert drawn[0] == 0
            assert rows[:, sources].mean(axis=0) == pytest.approx(rows[:, sources].mean(), abs=0.02)


@pytest.mark.parametrize("sampler", SAMPLERS)
def test_other_choices_are_uniform(sampler):
    rows = draw(sampler)
    for c in columns(FULL):
        for column in c[:-2]:
            symbols = choices(FULL)[column]
            shares = np.bincount(rows[:, column], minlength=symbols) / len(rows)
            assert shares == pytest.approx([1 / symbols] * symbols, abs=0.02)


def test_each_subset_of_a_size_is_as_likely():
    flags = subsets(np.random.default_rng(0), np.full(20_000, 2), 4)
    drawn = np.bincount(flags @ (1 << np.arange(4)))
    pairs = [3, 5, 6, 9, 10, 12]
    assert drawn[pairs].sum() == 20_000
    assert drawn[pairs] / 20_000 == pytest.approx([1 / 6] * 6, abs=0.01)


def test_a_hundred_thousand_paths_take_seconds():
    start = time.process_time()
    for sampler in (sample_uniform, sample_binomial):
        genes = effective(FULL, draw(sampler, count=100_000))
        assert genes.shape == (100_000, 112)
    assert time.process_time() - start < 10


def test_the_largest_path():
    path = largest(FULL)
    last = path.blocks[-1]
    assert {(b.dense_operator, b.dense_dim, b.sparse_operator, b.sparse_dim) for b in path.blocks} == {
        ("fc", 1024, "efc", 64)
    }
    assert all(block.dense_to_sparse and block.fm for block in path.blocks)
    assert last.dense_sources == last.sparse_sources == (3, 4, 5, 6)
    assert (last.left, last.right) == (6, 5)
    assert path.blocks[0].dense_sources == (0,)
    assert all(path.live.dense + path.live.sparse + path.live.dense_to_sparse + path.live.fm)


@pytest.mark.parametrize(("preset", "operators"), [("full", {("sum", "efc")}), ("small", {("fc", "efc")})])
def test_the_smallest_path(preset, operators):
    space = Space(13, 26, **PRESETS[preset])
    path = smallest(space)
    assert {(block.dense_operator, block.sparse_operator) for block in path.blocks} == operators
    assert {(block.dense_dim, block.sparse_dim) for block in path.blocks} == {(16, 16)}
    assert [block.dense_sources for block in path.blocks] == [(i,) for i in range(7)]
    assert not any(block.dense_to_sparse or block.fm for block in path.blocks)
    assert path.macs < largest(space).macs / 100
