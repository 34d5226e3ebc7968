"""Random spaces and paths, as hypothesis strategies, and every path of a tiny space."""

from itertools import product

import numpy as np
from hypothesis import strategies as st

from recfactory.space import PRESETS, Space
from recfactory.space.genes import choices, columns, decode
from recfactory.space.sampling import sample_uniform


def _some(names):
    return st.lists(st.sampled_from(names), min_size=1, unique=True).map(tuple)


def _dims(dims):
    return _some(dims).map(lambda chosen: tuple(sorted(chosen)))


spaces = st.builds(
    Space,
    numbers=st.integers(1, 9),
    fields=st.integers(1, 5),
    blocks=st.integers(1, 4),
    dense_operators=_some(PRESETS["full"]["dense_operators"]),
    sparse_operators=_some(PRESETS["full"]["sparse_operators"]),
    dense_dims=_dims((4, 6, 8, 16)),
    sparse_dims=_dims((2, 3, 4)),
    max_sources=st.integers(1, 4),
    embedding_dim=st.sampled_from((2, 8)),
    merger_tokens=st.integers(1, 3),
    raw_dense=st.sampled_from(("numbers", "fields", "both")),
)
seeds = st.integers(0, 2**32 - 1)


def random_rows(space, count, seed):
    return sample_uniform(space, count, np.random.default_rng(seed))


paths = st.builds(lambda space, seed: decode(space, random_rows(space, 1, seed))[0], spaces, seeds)


def every_row(space):
    """The rows of all paths of a space, found by trying every combination of symbols."""
    rows = np.array(list(product(*map(range, choices(space)))), np.int16)
    for c in columns(space):
        for sources in (c.dense_sources, c.sparse_sources):
            chosen = rows[:, sources].sum(axis=1)
            rows = rows[(chosen >= 1) & (chosen <= space.max_sources)]
    return rows
