"""Random paths, and the two ends of a space."""

from collections.abc import Callable
from typing import Any

import numpy as np
import numpy.typing as npt

from recfactory.space.genes import Rows, choices, columns
from recfactory.space.operators import operator
from recfactory.space.path import Block, Path
from recfactory.space.space import Space

Counts = npt.NDArray[np.integer[Any]]


def sample_uniform(space: Space, count: int, rng: np.random.Generator) -> Rows:
    """Random paths; an operator concatenates 1 to `max_sources` sources, each number of them as likely.

    NASRec's evolution starts from these (arXiv 2207.07187).

    Args:
        space: to sample from.
        count: of paths.
        rng: source of randomness.

    Returns:
        `(count, length)`, see `genes.py`.
    """
    return _sample(space, count, rng, lambda most: rng.integers(1, most + 1, count))


def sample_binomial(space: Space, count: int, rng: np.random.Generator) -> Rows:
    """Random paths; an operator concatenates 1 + Binomial(n - 1, 1/2) sources, n being the most it may.

    NASRec trains its supernet on these ("single operator, any connection").

    Args:
        space: to sample from.
        count: of paths.
        rng: source of randomness.

    Returns:
        `(count, length)`, see `genes.py`.
    """
    return _sample(space, count, rng, lambda most: 1 + rng.binomial(most - 1, 0.5, count))


def sample_single(space: Space, count: int, rng: np.random.Generator) -> Rows:
    """Random paths; an operator reads one source of each stream ("single operator, single connection").

    Args:
        space: to sample from.
        count: of paths.
        rng: source of randomness.

    Returns:
        `(count, length)`, see `genes.py`.
    """
    return _sample(space, count, rng, lambda most: np.ones(count, np.int64))


def subsets(rng: np.random.Generator, sizes: Counts, sources: int) -> npt.NDArray[np.bool_]:
    """Random subsets of given sizes, each subset of a size as likely.

    Args:
        rng: source of randomness.
        sizes: `(count,)`, 1 to `sources` each.
        sources: to choose from.

    Returns:
        A flag per source, `(count, sources)`.
    """
    keys = rng.random((len(sizes), sources))
    last = np.take_along_axis(np.sort(keys, axis=1), sizes[:, None] - 1, axis=1)
    return np.asarray(keys <= last)


def largest(space: Space) -> Path:
    """The path with every dim at its greatest, both mergers on and the latest sources, as many as allowed.

    Its operators are the first of the space that read anything.
    """
    operators = [
        next((name for name in names if operator(name).reads), names[0])
        for names in (space.dense_operators, space.sparse_operators)
    ]
    return _chain(space, *operators, dim=-1, sources=space.max_sources, mergers=True)


def smallest(space: Space) -> Path:
    """The chain of blocks with every dim at its least, no mergers, and the operators with the fewest macs."""
    chains = [
        _chain(space, dense, sparse, dim=0, sources=1, mergers=False)
        for dense in space.dense_operators
        for sparse in space.sparse_operators
    ]
    return min(chains, key=lambda path: (path.macs, path.params))


def _chain(space: Space, dense: str, sparse: str, *, dim: int, sources: int, mergers: bool) -> Path:
    blocks = []
    for number in range(1, space.blocks + 1):
        latest = tuple(range(max(0, number - sources), number))
        blocks.append(
            Block(
                dense_operator=dense,
                dense_dim=space.dense_dims[dim],
                sparse_operator=sparse,
                sparse_dim=space.sparse_dims[dim],
                dense_sources=latest,
                sparse_sources=latest,
                left=number - 1,
                right=latest[-2:][0],
                dense_to_sparse=mergers,
                fm=mergers,
            )
        )
    return Path(space, tuple(blocks))


def _sample(space: Space, count: int, rng: np.random.Generator, sizes: Callable[[int], Counts]) -> Rows:
    rows = np.empty((count, len(choices(space))), np.int16)
    for number, block in enumerate(columns(space), 1):
        for column in block:
            if isinstance(column, slice):
                rows[:, column] = subsets(rng, sizes(min(space.max_sources, number)), number)
            else:
                rows[:, column] = rng.integers(choices(space)[column], size=count)
    return rows
