from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given, settings
from random_paths import every_row, paths, random_rows, seeds, spaces

from recfactory.space import Operator, Path, Space, register
from recfactory.space.effective import activity, effective, hamming
from recfactory.space.genes import choices, columns, decode, encode
from recfactory.space.operations import Linear
from recfactory.space.operators import operator
from recfactory.space.variation import mutate

TINY = Space(
    3,
    2,
    blocks=2,
    dense_operators=("fc", "gating", "sum"),
    sparse_operators=("efc",),
    dense_dims=(4, 8),
    sparse_dims=(2,),
)


def network(path):
    """What a path computes, told from its output down to its inputs; an account of its own."""

    def made(number, stream):
        block = path.blocks[number - 1]
        name = getattr(block, f"{stream}_operator")
        reads = operator(name).reads
        sides = [numbers(getattr(block, side)) for side in ("left", "right") if side in reads]
        read = [frozenset(sides) if operator(name).symmetric else tuple(sides)]
        if "dense_sources" in reads:
            read.append(tuple(map(numbers, block.dense_sources)))
        if "sparse_sources" in reads:
            read.append(tuple(map(tokens, block.sparse_sources)))
        return number, name, getattr(block, f"{stream}_dim"), tuple(read)

    def numbers(number):
        if number == 0:
            return "raw numbers"
        return made(number, "dense"), made(number, "sparse") if path.blocks[number - 1].fm else None

    def tokens(number):
        if number == 0:
            return "raw tokens"
        merged = path.blocks[number - 1].dense_to_sparse
        return made(number, "sparse"), made(number, "dense") if merged else None

    return numbers(path.space.blocks), tokens(path.space.blocks)


def same_partition(genes, networks):
    pairs = set(zip(genes, networks, strict=True))
    return len(pairs) == len(set(genes)) == len(set(networks))


def test_equal_genes_are_equal_networks_over_a_whole_space():
    rows = every_row(TINY)
    networks = [network(path) for path in decode(TINY, rows)]
    genes = list(map(tuple, effective(TINY, rows).tolist()))
    assert same_partition(genes, networks)
    assert len(set(genes)) < len(rows) / 4


@settings(max_examples=60)
@given(spaces, seeds)
def test_equal_genes_are_equal_networks(space, seed):
    rows = random_rows(space, 4, seed)
    rng = np.random.default_rng(seed)
    rows = np.concatenate([rows, *(mutate(space, rows, rng) for _ in range(5))])
    decoded = decode(space, rows)
    assert same_partition([path.genes for path in decoded], list(map(network, decoded)))


@given(spaces, seeds)
def test_activity_is_that_of_single_paths(space, seed):
    rows = random_rows(space, 4, seed)
    found = activity(space, rows)
    for place, path in enumerate(decode(space, rows)):
        for part in ("dense", "sparse", "dense_to_sparse", "fm"):
            assert tuple(getattr(found, part)[place].tolist()) == getattr(path.live, part)


@given(paths)
def test_symbols(path):
    (row,), genes = encode([path]), np.array(path.genes)
    space = path.space
    assert len(genes) == len(choices(space))
    assert np.all((genes >= 0) & (genes <= choices(space)))
    sides = [column for c in columns(space) for column in (c.left, c.right)]
    kept = np.delete(np.arange(len(row)), sides)
    assert np.all((genes[kept] == 0) | (genes[kept] == row[kept] + 1))
    (effective_again,) = effective(space, encode([path]))
    assert tuple(effective_again.tolist()) == path.genes


@given(paths)
def test_inactive_choices_do_not_matter_and_live_ones_do(path):
    space = path.space
    for number, block in enumerate(path.blocks, 1):
        live = {stream: getattr(path.live, stream)[number - 1] for stream in ("dense", "sparse")}
        names = [getattr(block, f"{stream}_operator") for stream in live if live[stream]]
        read = {gene for name in names for gene in operator(name).reads}
        for stream, dims in (("dense", space.dense_dims), ("sparse", space.sparse_dims)):
            field = f"{stream}_dim"
            for dim in set(dims) - {getattr(block, field)}:
                changed = with_block(path, number, **{field: dim})
                assert (changed.genes != path.genes) == live[stream]
        for flag, part in (("fm", "dense"), ("dense_to_sparse", "sparse")):
            changed = with_block(path, number, **{flag: not getattr(block, flag)})
            on = changed if getattr(changed.blocks[number - 1], flag) else path
            matters = getattr(on.live, flag)[number - 1]
            assert (changed.genes != path.genes) == matters
            assert live[part] or not matters
        for side in ("left", "right"):
            for source in set(range(number)) - {getattr(block, side)}:
                changed = with_block(path, number, **{side: source})
                assert (changed.genes != path.genes) == (side in read)


def with_block(path, number, **changes):
    blocks = list(path.blocks)
    blocks[number - 1] = replace(blocks[number - 1], **changes)
    return Path(path.space, tuple(blocks))


def test_a_symmetric_operator_does_not_tell_its_sides_apart():
    path = decode(TINY, random_rows(TINY, 1, 0))[0]
    for name, same in (("sum", True), ("gating", False), ("fc", True)):
        one = with_block(path, 2, dense_operator=name, left=0, right=1)
        assert (one.genes == with_block(one, 2, left=1, right=0).genes) == same


@pytest.fixture(scope="module")
def gated_tokens():
    """An operator of one's own: it makes tokens, and reads the left source too."""
    own = Operator(
        "gated_tokens",
        "sparse",
        ("sparse_sources", "left"),
        lambda reads: (
            Linear("kernel", reads.sparse, reads.dim, uses=reads.embedding_dim),
            Linear("gate", reads.left, reads.dim),
        ),
        "none:None",
    )
    return register(own).name


def test_an_operator_of_ones_own(gated_tokens):
    space = Space(3, 2, blocks=2, sparse_operators=("efc", gated_tokens), dense_dims=(4,), sparse_dims=(2,))
    path = decode(space, random_rows(space, 1, 0))[0]
    path = with_block(path, 2, dense_operator="sum", sparse_operator=gated_tokens, left=0, right=1)
    # The sum alone could exchange its sides; now the left one is read by another, too.
    assert with_block(path, 2, left=1, right=0).genes != path.genes
    path = with_block(path, 2, dense_operator="fc", dense_sources=(0,), left=1, sparse_sources=(0,))
    assert path.live.dense == (True, True)
    assert path.live.sparse[0] == path.blocks[0].fm
    rows = random_rows(space, 300, 1)
    decoded = decode(space, rows)
    assert same_partition([path.genes for path in decoded], list(map(network, decoded)))
    assert [tuple(found) for found in activity(space, rows).dense.tolist()] == [p.live.dense for p in decoded]


def test_hamming():
    one, other = np.array([[1, 2, 3], [0, 0, 0]], np.int16), np.array([[1, 2, 4], [1, 0, 0]], np.int16)
    assert hamming(one, other).tolist() == [[1, 2], [3, 1]]
    assert hamming(one[0], other).tolist() == [1, 2]
    assert hamming(one, other[1]).tolist() == [2, 1]
    assert hamming(one[0], other[0]) == 1
    assert hamming(one, other[:0]).shape == (2, 0)


def test_hamming_in_parts():
    space = Space(13, 26)
    genes = effective(space, random_rows(space, 700, 0))
    many = np.tile(genes, (100, 1))  # 5 rows of 70,000 are more than one part holds
    distances = hamming(many, genes[:5]), hamming(genes[:100], many)
    expected = (genes[:, None] != genes[None]).sum(axis=2)
    assert np.array_equal(distances[0], np.tile(expected[:, :5], (100, 1)))
    assert np.array_equal(distances[1], np.tile(expected[:100], (1, 100)))
    assert not hamming(genes, genes).diagonal().any()
