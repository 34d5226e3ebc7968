"""Effective genes: what of a row the output depends on, so that equal networks have equal rows."""

from typing import Any, NamedTuple, get_args

import numpy as np
import numpy.typing as npt

from recfactory.space.genes import Rows, choices, columns
from recfactory.space.operators import Gene, Operator, operator
from recfactory.space.space import Space

Flags = npt.NDArray[np.bool_]


class Activity(NamedTuple):
    """Which parts and genes of each block the output depends on; `(paths, blocks)` each.

    Args:
        numbers: the block's numbers, and so the choice of FM.
        tokens: the block's tokens, and so the choice of the dense-to-sparse merger.
        dense: the dense operator and its dim.
        sparse: the sparse operator and its dim.
        dense_to_sparse: that merger, where it is on.
        fm: that merger, where it is on.
        dense_sources: the choice of what is concatenated of numbers.
        sparse_sources: the choice of what is concatenated of tokens.
        left: the choice of the left source.
        right: the choice of the right source.
        exchangeable: whether left and right may change places.
    """

    numbers: Flags
    tokens: Flags
    dense: Flags
    sparse: Flags
    dense_to_sparse: Flags
    fm: Flags
    dense_sources: Flags
    sparse_sources: Flags
    left: Flags
    right: Flags
    exchangeable: Flags


def activity(space: Space, rows: npt.NDArray[np.integer[Any]]) -> Activity:
    """`path.find_live` over many paths: walks from the output back to what it depends on.

    Args:
        space: that the paths lie in.
        rows: `(paths, length)`, see `genes.py`.
    """
    paths, last = len(rows), space.blocks
    numbers, tokens = np.zeros((2, paths, last + 1), np.bool_)
    numbers[:, last] = tokens[:, last] = True
    found = Activity(*np.zeros((len(Activity._fields), paths, last), np.bool_))
    dense_operators = [operator(name) for name in space.dense_operators]
    sparse_operators = [operator(name) for name in space.sparse_operators]
    for i in range(last - 1, -1, -1):
        c, number = columns(space)[i], i + 1
        fm = (rows[:, c.fm] == 1) & numbers[:, number]
        to_sparse = (rows[:, c.dense_to_sparse] == 1) & tokens[:, number]
        dense, sparse = numbers[:, number] | to_sparse, tokens[:, number] | fm
        found.fm[:, i], found.dense_to_sparse[:, i] = fm, to_sparse
        found.dense[:, i], found.sparse[:, i] = dense, sparse
        of_dense, of_sparse = rows[:, c.dense_operator], rows[:, c.sparse_operator]
        for gene in get_args(Gene):
            getattr(found, gene)[:, i] = (dense & _reads(dense_operators, gene)[of_dense]) | (
                sparse & _reads(sparse_operators, gene)[of_sparse]
            )
        found.exchangeable[:, i] = (~dense | _exchangeable(dense_operators)[of_dense]) & (
            ~sparse | _exchangeable(sparse_operators)[of_sparse]
        )
        numbers[:, :number] |= found.dense_sources[:, i, None] & (rows[:, c.dense_sources] == 1)
        tokens[:, :number] |= found.sparse_sources[:, i, None] & (rows[:, c.sparse_sources] == 1)
        for side, column in ((found.left, c.left), (found.right, c.right)):
            numbers[:, :number] |= side[:, i, None] & (rows[:, column, None] == np.arange(number))
    return found._replace(numbers=numbers[:, 1:], tokens=tokens[:, 1:])


def effective(space: Space, rows: npt.NDArray[np.integer[Any]]) -> Rows:
    """The canonical effective genes of paths: equal networks have equal ones.

    A choice that the output does not depend on is symbol 0, any other is one more than in the row. Where left
    and right may change places, the earlier source is the left one.

    Args:
        space: that the paths lie in.
        rows: `(paths, length)`, see `genes.py`.

    Returns:
        `(paths, length)`; column i holds symbols below `choices(space)[i] + 1`.
    """
    found = activity(space, rows)
    genes = np.asarray(rows + 1, np.int16)
    active = np.empty((len(rows), len(choices(space))), np.bool_)
    for i, c in enumerate(columns(space)):
        active[:, [c.dense_operator, c.dense_dim]] = found.dense[:, i, None]
        active[:, [c.sparse_operator, c.sparse_dim]] = found.sparse[:, i, None]
        active[:, c.dense_sources] = found.dense_sources[:, i, None]
        active[:, c.sparse_sources] = found.sparse_sources[:, i, None]
        active[:, c.left], active[:, c.right] = found.left[:, i], found.right[:, i]
        active[:, c.dense_to_sparse], active[:, c.fm] = found.tokens[:, i], found.numbers[:, i]
        swap = np.flatnonzero(found.exchangeable[:, i] & (genes[:, c.left] > genes[:, c.right]))
        genes[swap, c.left], genes[swap, c.right] = genes[swap, c.right], genes[swap, c.left]
    genes[~active] = 0
    return genes


def hamming(one: npt.NDArray[np.integer[Any]], other: npt.NDArray[np.integer[Any]]) -> npt.NDArray[np.int32]:
    """In how many columns rows differ.

    Args:
        one: rows `(n, length)`, or one row `(length,)`.
        other: rows `(m, length)`, or one row.

    Returns:
        `(n, m)`, without the axis of what is one row.
    """
    left, right = np.atleast_2d(one), np.atleast_2d(other)
    distances = np.zeros((len(left), len(right)), np.int32)
    rows = max(1, 2**24 // max(1, len(right)))  # bounds what is held beside the result
    for start in range(0, len(left), rows):
        part = slice(start, start + rows)
        for column in range(left.shape[1]):
            distances[part] += left[part, column, None] != right[:, column]
    return distances.reshape(one.shape[:-1] + other.shape[:-1])


def _reads(operators: list[Operator], gene: Gene) -> Flags:
    return np.array([gene in operator.reads for operator in operators])


def _exchangeable(operators: list[Operator]) -> Flags:
    """Whether an operator does not mind that left and right change places."""
    return np.array(
        [
            not {"left", "right"} & set(operator.reads)
            or (operator.symmetric and {"left", "right"} <= set(operator.reads))
            for operator in operators
        ]
    )
