"""What paths cost: multiply-accumulates per example, and weights.

Only what the output depends on is counted. Multiply-accumulates (`macs`) are those of matrix products, with
the head's and without embedding lookups; weights (`params`) are those of the architecture, without the
embedding table. Both come from the operators' own descriptions (`operators.py`), one path at a time or many
at once.
"""

from collections.abc import Iterator
from typing import Any, Literal

import numpy as np
import numpy.typing as npt

from recfactory.space.axes import Axis
from recfactory.space.effective import activity
from recfactory.space.genes import Columns, columns
from recfactory.space.operations import Operation
from recfactory.space.operators import Reads, Stream, dense_to_sparse, fm, head, operator
from recfactory.space.path import Path
from recfactory.space.space import Space
from recfactory.space.wiring import Part, live_parts, operations

Sizes = npt.NDArray[np.int64]
Rows = npt.NDArray[np.integer[Any]]
Places = npt.NDArray[np.intp]


def path_macs(path: Path) -> int:
    """Multiply-accumulates per example of one path."""
    return sum(int(made.macs) for part in live_parts(path) for made in operations(path, part))


def path_params(path: Path) -> int:
    """Weights of one path, without the embedding table."""
    return sum(int(made.params) for part in live_parts(path) for made in operations(path, part))


def macs(space: Space, rows: Rows) -> Sizes:
    """Multiply-accumulates per example of many paths.

    Args:
        space: that they lie in.
        rows: `(paths, length)`, see `genes.py`.

    Returns:
        `(paths,)`.
    """
    return _totals(space, rows, "macs")


def params(space: Space, rows: Rows) -> Sizes:
    """Weights of many paths, without the embedding table.

    Args:
        space: that they lie in.
        rows: `(paths, length)`, see `genes.py`.

    Returns:
        `(paths,)`.
    """
    return _totals(space, rows, "params")


def each_part(space: Space, rows: Rows) -> Iterator[tuple[Part, Places, tuple[Operation, ...]]]:
    """The parts that any of many paths has, block by block, the head last.

    Args:
        space: that they lie in.
        rows: `(paths, length)`, see `genes.py`.

    Yields:
        A part, the places of the paths in which it is live, and what it computes there, sizes as arrays.
    """
    live, widths, tokens = activity(space, rows), _widths(space, rows), _tokens(space, rows)
    for i, c in enumerate(columns(space)):
        streams: tuple[tuple[Stream, tuple[str, ...]], ...] = (
            ("dense", space.dense_operators),
            ("sparse", space.sparse_operators),
        )
        for stream, names in streams:
            chosen = np.where(getattr(live, stream)[:, i], rows[:, getattr(c, f"{stream}_operator")], -1)
            for place, name in enumerate(names):
                at = np.flatnonzero(chosen == place)
                reads = _reads(space, c, stream, rows[at], widths[at, : i + 1], tokens[at, : i + 1])
                yield Part(i + 1, stream, name), at, operator(name).operations(reads)
        at = np.flatnonzero(live.dense_to_sparse[:, i])
        made = dense_to_sparse(_axis(widths[at, i + 1]), space.embedding_dim, space.merger_tokens)
        yield Part(i + 1, "dense_to_sparse", "dense_to_sparse"), at, made
        at = np.flatnonzero(live.fm[:, i])
        yield Part(i + 1, "fm", "fm"), at, fm(_axis(widths[at, i + 1]), space.embedding_dim)
    made = head(_axis(widths[:, -1] + tokens[:, -1] * space.embedding_dim))
    yield Part(space.blocks, "head", "head"), np.arange(len(rows)), made


def _totals(space: Space, rows: Rows, what: Literal["macs", "params"]) -> Sizes:
    total = np.zeros(len(rows), np.int64)
    for _, at, made in each_part(space, rows):
        for operation in made:
            total[at] += getattr(operation, what)
    return total


def _widths(space: Space, rows: Rows) -> Sizes:
    """Numbers of each source, `(paths, blocks + 1)`."""
    dims = np.array(space.dense_dims)
    made = [dims[rows[:, c.dense_dim]] for c in columns(space)]
    return np.stack([np.full(len(rows), space.raw_width), *made], axis=1)


def _tokens(space: Space, rows: Rows) -> Sizes:
    """Tokens of each source, `(paths, blocks + 1)`."""
    dims = np.array(space.sparse_dims)
    made = [
        dims[rows[:, c.sparse_dim]] + space.merger_tokens * rows[:, c.dense_to_sparse] for c in columns(space)
    ]
    return np.stack([np.full(len(rows), space.fields), *made], axis=1)


def _reads(space: Space, c: Columns, stream: str, rows: Rows, widths: Sizes, tokens: Sizes) -> Reads:
    """What an operator finds in its block in many paths; `widths` and `tokens` are of the earlier sources."""
    dims = space.dense_dims if stream == "dense" else space.sparse_dims
    each = np.arange(len(rows))
    return Reads(
        embedding_dim=space.embedding_dim,
        dims=dims,
        dim=_axis(np.array(dims)[rows[:, c.dense_dim if stream == "dense" else c.sparse_dim]]),
        dense=_axis((widths * rows[:, c.dense_sources]).sum(axis=1)),
        sparse=_axis((tokens * rows[:, c.sparse_sources]).sum(axis=1)),
        left=_axis(widths[each, rows[:, c.left]]),
        right=_axis(widths[each, rows[:, c.right]]),
        widest=space.widest,
    )


def _axis(sizes: Sizes) -> Axis:
    return Axis(sizes, full=0)
