"""Other numberings of a path's blocks, under which its network stays the same (CSCO, arXiv 2404.17152).

Two neighbouring blocks change places where the later one does not read the earlier one; whoever reads them
reads them under their new numbers. Concatenated sources come in another order then, which only permutes the
weights. The last block, which the head reads, stays put. Steps of this kind lead to every valid numbering.
"""

import numpy as np

from recfactory.space.effective import effective
from recfactory.space.genes import Columns, Rows, columns
from recfactory.space.space import Space


def renumber(space: Space, genes: Rows, rng: np.random.Generator) -> Rows:
    """The effective genes of the same networks with their blocks numbered at random.

    Args:
        space: that the paths lie in.
        genes: effective genes, `(n, length)`.
        rng: source of randomness.

    Returns:
        `(n, length)`; macs, params and all that is trained from scratch are those of `genes`.
    """
    return effective(space, renumber_rows(space, rows_of(space, genes), rng))


def rows_of(space: Space, genes: Rows) -> Rows:
    """Rows whose effective genes these are: inactive choices are symbol 0, inactive operators read source 0.

    Args:
        space: that the paths lie in.
        genes: effective genes, `(n, length)`.
    """
    rows: Rows = np.maximum(genes - 1, 0).astype(np.int16)
    for c in columns(space):
        for sources in (c.dense_sources, c.sparse_sources):
            rows[genes[:, sources.start] == 0, sources.start] = 1
    return rows


def renumber_rows(space: Space, rows: Rows, rng: np.random.Generator) -> Rows:
    """As `renumber`, over rows as `rows_of` makes them.

    Args:
        space: that the paths lie in.
        rows: `(n, length)`, in which inactive operators read source 0.
        rng: source of randomness.
    """
    rows = rows.copy()
    blocks = columns(space)
    for _ in range(2 * space.blocks if space.blocks > 2 else 0):
        earlier = rng.integers(1, space.blocks - 1, len(rows))
        for number in range(1, space.blocks - 1):
            free = (earlier == number) & ~_reads(rows, blocks[number], number)
            at = np.flatnonzero(free & (rng.random(len(rows)) < 0.5))
            rows[at] = _exchange(rows[at], blocks, number)
    return rows


def _reads(rows: Rows, c: Columns, source: int) -> np.ndarray:
    """Whether a block reads a source."""
    flags = [rows[:, c.dense_sources.start + source] == 1, rows[:, c.sparse_sources.start + source] == 1]
    return np.any([*flags, rows[:, c.left] == source, rows[:, c.right] == source], axis=0)


def _exchange(rows: Rows, blocks: tuple[Columns, ...], number: int) -> Rows:
    """Blocks `number` and `number + 1` in each other's place."""
    new = rows.copy()
    one, other = blocks[number - 1], blocks[number]
    new[:, one.dense_operator : one.fm + 1] = rows[:, other.dense_operator : other.fm + 1]
    new[:, other.dense_operator : other.fm + 1] = rows[:, one.dense_operator : one.fm + 1]
    for name in ("dense_sources", "sparse_sources"):
        here, there = getattr(one, name), getattr(other, name)
        new[:, here] = rows[:, there.start : there.stop - 1]
        new[:, there.start : there.stop - 1] = rows[:, here]
    for c in blocks[number + 1 :]:
        for name in ("dense_sources", "sparse_sources"):
            at = getattr(c, name).start + number
            new[:, [at, at + 1]] = rows[:, [at + 1, at]]
        for side in (c.left, c.right):
            new[rows[:, side] == number, side] = number + 1
            new[rows[:, side] == number + 1, side] = number
    return new
