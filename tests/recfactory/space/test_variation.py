import numpy as np
import pytest
from hypothesis import given, settings
from random_paths import every_row, paths, random_rows, seeds, spaces

from recfactory.space import Space
from recfactory.space.effective import effective
from recfactory.space.genes import columns, decode, encode
from recfactory.space.variation import crossover, mutate, neighbours

FULL = Space(13, 26)


def slots(space):
    return [column for c in columns(space) for column in c]


def changed_slots(space, one, other):
    """Which choices differ, `(paths, choices)`."""
    differ = one != other
    return np.stack(
        [differ[:, s].any(axis=1) if isinstance(s, slice) else differ[:, s] for s in slots(space)], 1
    )


@given(spaces, seeds)
def test_a_mutant_is_a_path_that_differs_in_one_choice(space, seed):
    rows = random_rows(space, 20, seed)
    mutants = mutate(space, rows, np.random.default_rng(seed))
    decode(space, mutants)
    assert changed_slots(space, rows, mutants).sum(axis=1).tolist() == [1] * 20


def test_half_the_mutations_rewire():
    rows = random_rows(FULL, 20_000, 0)
    changed = changed_slots(FULL, rows, mutate(FULL, rows, np.random.default_rng(1))).mean(axis=0)
    kinds = columns(FULL)[0]._fields
    share = dict.fromkeys(kinds, 0.0)
    for place, amount in enumerate(changed):
        share[kinds[place % 10]] += amount
    wiring = ("dense_sources", "sparse_sources", "left", "right")
    assert [share[kind] for kind in wiring] == pytest.approx([1 / 8] * 4, abs=0.01)
    others = [share[kind] for kind in kinds if kind not in wiring]
    assert others == pytest.approx([1 / 12] * 6, abs=0.01)


def test_more_mutations_change_more():
    rows = random_rows(FULL, 500, 0)
    kept = rows.copy()
    changes = [
        changed_slots(FULL, rows, mutate(FULL, rows, np.random.default_rng(1), mutations)).sum(axis=1).mean()
        for mutations in (0, 1, 3, 6)
    ]
    assert changes[0] == 0
    assert changes == sorted(changes)
    assert changes[3] > 5
    assert np.array_equal(rows, kept)


def test_the_same_seed_varies_the_same():
    rows = random_rows(FULL, 50, 0)
    for vary in (mutate, lambda space, rows, rng: crossover(space, rows, rows[::-1], rng)):
        first, second, other = (vary(FULL, rows, np.random.default_rng(seed)) for seed in (3, 3, 4))
        assert np.array_equal(first, second)
        assert not np.array_equal(first, other)


@given(spaces, seeds)
def test_each_block_of_a_child_is_a_parents(space, seed):
    one, other = random_rows(space, 10, seed), random_rows(space, 10, seed + 1)
    children = crossover(space, one, other, np.random.default_rng(seed))
    families = zip(*(decode(space, rows) for rows in (children, one, other)), strict=True)
    for child, mother, father in families:
        blocks = zip(child.blocks, mother.blocks, father.blocks, strict=True)
        assert all(block in parents for block, *parents in blocks)


def test_a_child_has_about_half_of_each_parent():
    one, other = random_rows(FULL, 4000, 0), random_rows(FULL, 4000, 1)
    children = crossover(FULL, one, other, np.random.default_rng(2))
    start = columns(FULL)[6].dense_operator
    of_one = (children == one)[:, start:].all(axis=1)
    assert of_one.mean() == pytest.approx(0.5, abs=0.03)


@settings(max_examples=40)
@given(paths)
def test_neighbours_are_other_networks(path):
    found = neighbours(path.space, path)
    genes = [other.genes for other in found]
    assert len(set(genes)) == len(genes)
    assert path.genes not in genes
    steps = np.concatenate([encode([path]), encode(found)]) if found else encode([path])
    assert (changed_slots(path.space, steps[:1], steps[1:]).sum(axis=1) == 1).all()


@pytest.mark.parametrize("max_sources", [1, 2])
def test_no_neighbour_is_missing(max_sources):
    space = Space(
        3,
        2,
        blocks=2,
        dense_operators=("sum", "fc"),
        sparse_operators=("efc",),
        dense_dims=(4,),
        sparse_dims=(2,),
        max_sources=max_sources,
    )
    rows = every_row(space)
    genes = effective(space, rows)
    for origin in random_rows(space, 30, 5):
        near = np.abs(rows - origin)
        one_step = changed_slots(space, rows, origin[None]).sum(axis=1) == 1
        for c in columns(space):
            for sources in (c.dense_sources, c.sparse_sources):
                # One source added or removed, or one replaced by another.
                kept = near[:, sources].sum(axis=1) <= 1 + (rows[:, sources].sum(1) == origin[sources].sum())
                one_step &= kept
        path = decode(space, origin[None])[0]
        expected = set(map(tuple, genes[one_step].tolist())) - {path.genes}
        assert {other.genes for other in neighbours(space, path)} == expected
