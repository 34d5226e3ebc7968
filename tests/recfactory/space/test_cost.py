import time

import numpy as np
import pytest
from hypothesis import given
from random_paths import paths, random_rows, seeds, spaces

from recfactory.space import PRESETS, Block, Operator, Path, Space, register
from recfactory.space.cost import macs, params, path_macs, path_params
from recfactory.space.effective import effective
from recfactory.space.genes import columns, decode, encode
from recfactory.space.operations import Linear

TINY = Space(3, 2, blocks=2, dense_dims=(4, 8), sparse_dims=(2, 3), embedding_dim=4, merger_tokens=5)


def test_cost_of_a_path_by_hand():
    path = Path(
        TINY,
        (
            # 3 -> 8 numbers; 2 -> 3 tokens; 5 more tokens of the numbers; FM into numbers that nobody reads.
            Block("fc", 8, "efc", 3, (0,), (0,), 0, 0, True, True),
            # 3 -> 4 numbers; 8 -> 2 tokens; FM; the head reads 4 + 2 * 4.
            Block("fc", 4, "efc", 2, (0,), (1,), 1, 1, False, True),
        ),
    )
    assert path.live.fm == (False, True)
    assert path.macs == (3 * 8 + 2 * 3 * 4 + 8 * 20) + (3 * 4 + 8 * 2 * 4 + 4 * 4) + 12
    fixed = (3 + 3) * 8 + (2 + 3) * 3 + (8 + 1) * 20
    assert path.params == fixed + (3 + 3) * 4 + (8 + 3) * 2 + (4 + 1) * 4 + (12 + 1)


def test_what_nobody_reads_costs_nothing():
    last = Block("fc", 4, "efc", 2, (0,), (0,), 0, 0, False, False)
    costs = {
        (path.macs, path.params)
        for first in (("fc", 4, "efc", 2), ("dot_product", 8, "attention", 3))
        for merge in (False, True)
        for path in [Path(TINY, (Block(*first, (0,), (0,), 0, 0, merge, merge), last))]
    }
    assert costs == {(3 * 4 + 2 * 2 * 4 + 12, (3 + 3) * 4 + (2 + 3) * 2 + 13)}


@pytest.mark.parametrize("preset", PRESETS)
@pytest.mark.parametrize("raw", ["numbers", "both"])
def test_many_paths_at_once_cost_what_each_does(preset, raw):
    space = Space(13, 26, raw_dense=raw, **PRESETS[preset])
    rows = random_rows(space, 200, 3)
    decoded = decode(space, rows)
    assert macs(space, rows).tolist() == [path_macs(path) for path in decoded]
    assert params(space, rows).tolist() == [path_params(path) for path in decoded]


@given(spaces, seeds)
def test_many_paths_of_any_space(space, seed):
    rows = random_rows(space, 5, seed)
    decoded = decode(space, rows)
    assert macs(space, rows).tolist() == [path.macs for path in decoded]
    assert params(space, rows).tolist() == [path.params for path in decoded]


@given(paths, seeds)
def test_equal_networks_cost_the_same(path, seed):
    """Symbols that do not matter are drawn anew."""
    space, rng = path.space, np.random.default_rng(seed)
    (row,), (other,), genes = encode([path]), random_rows(space, 1, seed), np.array(path.genes)
    for c in columns(space):
        for slot in c:
            columns_of = np.atleast_1d(np.arange(len(row))[slot])
            if not genes[columns_of].any() and rng.random() < 0.7:
                row[columns_of] = other[columns_of]
    assert tuple(effective(space, row[None])[0].tolist()) == path.genes
    assert (macs(space, row[None])[0], params(space, row[None])[0]) == (path.macs, path.params)


def test_an_operator_of_ones_own_is_counted():
    own = Operator(
        "bilinear",
        "dense",
        ("left", "right"),
        lambda reads: (Linear("a", reads.left, reads.dim), Linear("b", reads.right, reads.dim, uses=2)),
        "none:None",
        symmetric=True,
    )
    space = Space(3, 2, blocks=3, dense_operators=("fc", register(own).name), dense_dims=(4, 8))
    rows = random_rows(space, 100, 0)
    assert macs(space, rows).tolist() == [path.macs for path in decode(space, rows)]
    assert params(space, rows).tolist() == [path.params for path in decode(space, rows)]
    assert macs(space, rows[:0]).shape == (0,)


def test_a_hundred_thousand_paths_take_seconds():
    space = Space(13, 26)
    rows = random_rows(space, 100_000, 0)
    start = time.process_time()
    assert macs(space, rows).min() > 0
    assert params(space, rows).min() > 0
    assert time.process_time() - start < 10
