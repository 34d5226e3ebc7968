"""Paths as rows of integers, so that many paths are one array.

A row holds, block by block: dense_operator, sparse_operator, dense_dim, sparse_dim (places in the space's
tuples), left, right, dense_to_sparse, fm, then a flag per source for dense_sources and for sparse_sources.
"""

from collections.abc import Iterator, Sequence
from functools import cache
from typing import Any, NamedTuple

import numpy as np
import numpy.typing as npt

from recfactory.errors import UserError
from recfactory.space.path import Block, Path
from recfactory.space.space import Space

Rows = npt.NDArray[np.int16]


class Columns(NamedTuple):
    """Where a row holds the choices of one block: a column each, and a column per source."""

    dense_operator: int
    sparse_operator: int
    dense_dim: int
    sparse_dim: int
    left: int
    right: int
    dense_to_sparse: int
    fm: int
    dense_sources: slice
    sparse_sources: slice


@cache
def columns(space: Space) -> tuple[Columns, ...]:
    """Where the rows of a space hold the choices of each block."""
    found, start = [], 0
    for number in range(1, space.blocks + 1):
        singles = range(start, start + 8)
        dense = slice(singles.stop, singles.stop + number)
        sparse = slice(dense.stop, dense.stop + number)
        found.append(Columns._make([*singles, dense, sparse]))
        start = sparse.stop
    return tuple(found)


@cache
def choices(space: Space) -> tuple[int, ...]:
    """How many symbols each column of a row can hold; effective genes have one more, for inactive."""
    block = [len(space.dense_operators), len(space.sparse_operators), len(space.dense_dims)]
    block.append(len(space.sparse_dims))
    counts: list[int] = []
    for number in range(1, space.blocks + 1):
        counts += [*block, number, number, 2, 2] + [2] * (2 * number)
    return tuple(counts)


def encode(paths: Sequence[Path]) -> Rows:
    """The rows of paths of one space.

    Args:
        paths: at least one.

    Returns:
        `(paths, length)`.

    Raises:
        UserError: when there are none, or they lie in different spaces.
    """
    if not paths:
        raise UserError("genes: there are no paths to encode")
    space = paths[0].space
    if any(path.space is not space and path.space != space for path in paths):
        raise UserError("genes: these paths lie in different spaces; encode those of one space at a time")
    rows = np.empty((len(paths), len(choices(space))), np.int16)
    for row, path in zip(rows, paths, strict=True):
        row[:] = list(_symbols(path))
    return rows


def decode(space: Space, rows: npt.NDArray[np.integer[Any]]) -> list[Path]:
    """The paths of rows; the opposite of `encode`.

    Args:
        space: that they lie in.
        rows: `(paths, length)`.

    Raises:
        UserError: when the rows are none of this space.
    """
    counts = np.array(choices(space))
    if rows.ndim != 2 or rows.shape[1] != len(counts):
        raise UserError(
            f"genes: rows of this space have {len(counts)} columns, these are of shape {rows.shape}"
        )
    wrong = np.argwhere((rows < 0) | (rows >= counts))
    if len(wrong):
        row, column = wrong[0]
        raise UserError(
            f"genes: row {row}, column {column} must be 0 to {counts[column] - 1}, not {rows[row, column]}"
        )
    return [Path(space, tuple(_blocks(space, row))) for row in rows.tolist()]


def _symbols(path: Path) -> Iterator[int]:
    space = path.space
    for number, block in enumerate(path.blocks, 1):
        yield space.dense_operators.index(block.dense_operator)
        yield space.sparse_operators.index(block.sparse_operator)
        yield space.dense_dims.index(block.dense_dim)
        yield space.sparse_dims.index(block.sparse_dim)
        yield from (block.left, block.right, block.dense_to_sparse, block.fm)
        for sources in (block.dense_sources, block.sparse_sources):
            yield from (source in sources for source in range(number))


def _blocks(space: Space, row: list[int]) -> Iterator[Block]:
    for c in columns(space):
        dense, sparse = row[c.dense_sources], row[c.sparse_sources]
        yield Block(
            dense_operator=space.dense_operators[row[c.dense_operator]],
            dense_dim=space.dense_dims[row[c.dense_dim]],
            sparse_operator=space.sparse_operators[row[c.sparse_operator]],
            sparse_dim=space.sparse_dims[row[c.sparse_dim]],
            dense_sources=tuple(source for source, flag in enumerate(dense) if flag),
            sparse_sources=tuple(source for source, flag in enumerate(sparse) if flag),
            left=row[c.left],
            right=row[c.right],
            dense_to_sparse=bool(row[c.dense_to_sparse]),
            fm=bool(row[c.fm]),
        )
