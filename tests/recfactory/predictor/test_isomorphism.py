import keras
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from recfactory.predictor.isomorphism import renumber, rows_of
from recfactory.space import PRESETS, Space
from recfactory.space.cost import macs, params
from recfactory.space.effective import effective
from recfactory.space.genes import columns, decode
from recfactory.space.sampling import sample_uniform

spaces = st.builds(
    Space,
    numbers=st.integers(1, 5),
    fields=st.integers(1, 4),
    blocks=st.integers(1, 6),
    dense_operators=st.sampled_from([PRESETS["full"]["dense_operators"], ("sum", "gating"), ("fc",)]),
    dense_dims=st.just((4, 8, 16)),
    sparse_dims=st.just((2, 3)),
    max_sources=st.integers(1, 4),
    embedding_dim=st.just(4),
    merger_tokens=st.integers(1, 2),
    raw_dense=st.sampled_from(("numbers", "fields")),
)
seeds = st.integers(0, 2**32 - 1)
SPACE = Space(3, 4, blocks=6, dense_dims=(4, 8, 16), sparse_dims=(2, 3), embedding_dim=4, merger_tokens=2)


def drawn(space, count, seed):
    return effective(space, sample_uniform(space, count, np.random.default_rng(seed)))


@settings(max_examples=60)
@given(spaces, seeds)
def test_rows_have_the_genes_they_are_made_of(space, seed):
    genes = drawn(space, 20, seed)
    rows = rows_of(space, genes)
    assert [path.genes for path in decode(space, rows)] == list(map(tuple, genes.tolist()))


@settings(max_examples=60)
@given(spaces, seeds)
def test_renumbered_paths_cost_the_same(space, seed):
    genes = drawn(space, 20, seed)
    new = renumber(space, genes, np.random.default_rng(seed))
    old_rows, new_rows = rows_of(space, genes), rows_of(space, new)
    decode(space, new_rows)
    np.testing.assert_array_equal(macs(space, new_rows), macs(space, old_rows))
    np.testing.assert_array_equal(params(space, new_rows), params(space, old_rows))
    last = columns(space)[-1]
    unmoved = slice(last.dense_operator, last.sparse_dim + 1)
    np.testing.assert_array_equal(new[:, unmoved], genes[:, unmoved])


def test_renumbered_paths_are_models_of_the_same_weights():
    genes = drawn(SPACE, 12, 0)
    new = renumber(SPACE, genes, np.random.default_rng(0))
    changed = np.flatnonzero((new != genes).any(axis=1))
    assert len(changed) >= 6
    for at in changed[:4]:
        pair = decode(SPACE, rows_of(SPACE, np.stack([genes[at], new[at]])))
        shapes = [sorted(tuple(weight.shape) for weight in SPACE.build(path).weights) for path in pair]
        keras.backend.clear_session()
        assert shapes[0] == shapes[1]


def test_two_free_blocks_change_places():
    space = Space(3, 4, blocks=3, dense_dims=(4, 8, 16), sparse_dims=(2, 3))
    rows = np.zeros((1, columns(space)[-1].sparse_sources.stop), np.int16)
    first, second, last = columns(space)
    for c in (first, second):
        rows[0, [c.dense_sources.start, c.sparse_sources.start]] = 1
    rows[0, [first.dense_dim, second.dense_dim]] = 0, 2
    rows[0, [last.dense_sources.start + 1, last.dense_sources.start + 2, last.sparse_sources.start + 2]] = 1
    genes = effective(space, rows)
    found = {renumber(space, genes, np.random.default_rng(seed)).tobytes() for seed in range(40)}
    other = rows.copy()
    other[0, [first.dense_dim, second.dense_dim]] = 2, 0
    other[0, [last.sparse_sources.start + 1, last.sparse_sources.start + 2]] = 1, 0
    assert found == {genes.tobytes(), effective(space, other).tobytes()}


def test_a_chain_has_one_numbering():
    rows = np.zeros((1, columns(SPACE)[-1].sparse_sources.stop), np.int16)
    for c in columns(SPACE):
        rows[0, [c.dense_sources.stop - 1, c.sparse_sources.stop - 1]] = 1
    genes = effective(SPACE, rows)
    for seed in range(10):
        np.testing.assert_array_equal(renumber(SPACE, genes, np.random.default_rng(seed)), genes)


@pytest.mark.parametrize("seed", [0, 1])
def test_the_same_seed_gives_the_same_numbering(seed):
    genes = drawn(SPACE, 30, 1)
    one, other = (renumber(SPACE, genes, np.random.default_rng(seed)) for _ in range(2))
    np.testing.assert_array_equal(one, other)
