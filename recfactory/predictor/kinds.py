"""Which columns of genes hold which kind of choice, for the encoding of each kind apart."""

from collections.abc import Iterator, Sequence
from math import log2
from typing import NamedTuple

from recfactory.space.genes import columns
from recfactory.space.space import Space


class Kind(NamedTuple):
    """Columns of genes that hold choices of one kind.

    Args:
        name: of the kind.
        columns: their places.
        sizes: for choices of sizes, per column the size behind each symbol from 1 on; symbol 0 is inactive.
            None for choices that are no numbers.
    """

    name: str
    columns: tuple[int, ...]
    sizes: tuple[tuple[int, ...], ...] | None = None


def kinds_of(space: Space) -> tuple[Kind, ...]:
    """The kinds of choices of a space: operators, dims, mergers and wiring.

    Dims are sizes; all others are names. Columns with nothing to choose are left in, they do no harm.
    """
    blocks = columns(space)
    dims = [(c.dense_dim, space.dense_dims) for c in blocks] + [
        (c.sparse_dim, space.sparse_dims) for c in blocks
    ]
    wiring: list[int] = []
    for c in blocks:
        wiring += [c.left, c.right]
        for sources in (c.dense_sources, c.sparse_sources):
            wiring += range(sources.start, sources.stop)
    return (
        Kind("operators", tuple(at for c in blocks for at in (c.dense_operator, c.sparse_operator))),
        Kind("dims", tuple(at for at, _ in dims), tuple(sizes for _, sizes in dims)),
        Kind("mergers", tuple(at for c in blocks for at in (c.dense_to_sparse, c.fm))),
        Kind("wiring", tuple(wiring)),
    )


def statistics(kind: Kind) -> list[list[float]]:
    """What stands for each symbol of each column of sizes: whether it is active, and its log2 in -1 to 1.

    Args:
        kind: with sizes.

    Returns:
        A row of two numbers per symbol, column by column.
    """
    return [row for sizes in kind.sizes or () for row in _column(sizes)]


def _column(sizes: Sequence[int]) -> Iterator[list[float]]:
    low, high = log2(sizes[0]), log2(sizes[-1])
    half, middle = max((high - low) / 2, 1e-9), (high + low) / 2
    yield [0.0, 0.0]
    yield from ([1.0, (log2(size) - middle) / half] for size in sizes)
