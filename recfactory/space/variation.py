"""Paths near other paths: mutants, children of two parents, and all neighbours of one."""

from collections.abc import Iterator
from typing import Any

import numpy as np
import numpy.typing as npt

from recfactory.space.effective import effective
from recfactory.space.genes import Rows, choices, columns, decode, encode
from recfactory.space.path import Path
from recfactory.space.sampling import subsets
from recfactory.space.space import Space

Slot = int | slice
"""The column of a choice, or the columns of what is concatenated."""


def mutate(
    space: Space, rows: npt.NDArray[np.integer[Any]], rng: np.random.Generator, mutations: int = 1
) -> Rows:
    """Mutants of paths (NASRec, arXiv 2207.07187).

    A mutation draws, with probability 1/2 each, other sources for one block (what it concatenates of one
    stream, left or right), or another operator, dim or merger flag for one block.

    Args:
        space: that the paths lie in.
        rows: `(paths, length)`, see `genes.py`.
        rng: source of randomness.
        mutations: per path, one after another.

    Returns:
        `(paths, length)`.
    """
    mutants: Rows = np.array(rows, np.int16)
    wirings, others = _slots(space)
    for _ in range(mutations):
        rewire = rng.random(len(mutants)) < (0.5 if wirings else 0)
        chosen = rng.integers(np.where(rewire, len(wirings), len(others)))
        for slots, meant in ((wirings, rewire), (others, ~rewire)):
            for place, slot in enumerate(slots):
                at = np.flatnonzero(meant & (chosen == place))
                if isinstance(slot, slice):
                    mutants[at, slot] = _other_sources(rng, mutants[at, slot], space.max_sources)
                else:
                    count = choices(space)[slot]
                    mutants[at, slot] = (mutants[at, slot] + rng.integers(1, count, len(at))) % count
    return mutants


def crossover(
    space: Space,
    one: npt.NDArray[np.integer[Any]],
    other: npt.NDArray[np.integer[Any]],
    rng: np.random.Generator,
) -> Rows:
    """Children of pairs of paths: each block is that of either parent.

    Args:
        space: that the paths lie in.
        one: `(paths, length)`, see `genes.py`.
        other: `(paths, length)`.
        rng: source of randomness.

    Returns:
        `(paths, length)`.
    """
    lengths = [c.sparse_sources.stop - c.dense_operator for c in columns(space)]
    first = rng.random((len(one), space.blocks)) < 0.5
    return np.where(np.repeat(first, lengths, axis=1), one, other).astype(np.int16)


def neighbours(space: Space, path: Path) -> list[Path]:
    """The paths one step from a path: another symbol of one gene, or one source added, removed or replaced.

    Those whose network is that of `path`, or of a neighbour listed before, are left out.

    Args:
        space: that the path lies in.
        path: whose neighbours.
    """
    origin = encode([path])[0]
    steps = np.array(
        [step for slots in _slots(space) for slot in slots for step in _steps(space, origin, slot)]
    )
    seen = {path.genes}
    kept = []
    for place, genes in enumerate(map(tuple, effective(space, steps).tolist())):
        if genes not in seen:
            seen.add(genes)
            kept.append(place)
    return decode(space, steps[kept])


def _slots(space: Space) -> tuple[list[Slot], list[Slot]]:
    """The slots that have alternatives: those of the wiring, and all others."""
    wirings: list[Slot] = []
    others: list[Slot] = []
    for number, c in enumerate(columns(space), 1):
        if number > 1:
            wirings += [c.dense_sources, c.sparse_sources, c.left, c.right]
        single = (c.dense_operator, c.sparse_operator, c.dense_dim, c.sparse_dim, c.dense_to_sparse, c.fm)
        others += [column for column in single if choices(space)[column] > 1]
    return wirings, others


def _other_sources(rng: np.random.Generator, old: Rows, most: int) -> Rows:
    new = old.copy()
    same = np.arange(len(old))
    while len(same):
        sizes = rng.integers(1, min(most, old.shape[1]) + 1, len(same))
        new[same] = subsets(rng, sizes, old.shape[1])
        same = same[(new[same] == old[same]).all(axis=1)]
    return new


def _steps(space: Space, origin: Rows, slot: Slot) -> Iterator[Rows]:
    if isinstance(slot, int):
        for symbol in range(choices(space)[slot]):
            if symbol != origin[slot]:
                yield _changed(origin, {slot: symbol})
        return
    every = range(slot.start, slot.stop)
    used = [column for column in every if origin[column]]
    unused = [column for column in every if not origin[column]]
    if len(used) < space.max_sources:
        yield from (_changed(origin, {column: 1}) for column in unused)
    if len(used) > 1:
        yield from (_changed(origin, {column: 0}) for column in used)
    yield from (_changed(origin, {old: 0, new: 1}) for old in used for new in unused)


def _changed(origin: Rows, symbols: dict[int, int]) -> Rows:
    row = origin.copy()
    row[list(symbols)] = list(symbols.values())
    return row
