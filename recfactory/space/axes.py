"""The sides of weight matrices: how long they are at most, and which of their places a path uses."""

from collections.abc import Iterable
from dataclasses import dataclass
from math import gcd
from typing import Any

import numpy as np
import numpy.typing as npt

Places = npt.NDArray[np.int64]


@dataclass(frozen=True, eq=False)
class Axis:
    """One side of a weight matrix.

    Args:
        size: places in use; an array of sizes where many paths are counted at once.
        full: places in the supernet.
        places: which are in use, `(size,)`; None where only sizes matter.
        unit: divides every size that the side can have, where the places in use are always the first ones.
    """

    size: Any
    full: int
    places: Places | None = None
    unit: int = 1


def first(size: Any, full: int, unit: int = 1) -> Axis:
    """The first `size` of `full` places."""
    return Axis(size, full, np.arange(size) if isinstance(size, int) else None, unit)


def whole(size: int) -> Axis:
    """An axis every path uses whole."""
    return first(size, size, unit=size)


def unit_of(sizes: Iterable[int]) -> int:
    """The greatest common divisor of sizes."""
    return gcd(*sizes)


def below_diagonal(tokens: Any, full: int) -> Axis:
    """The pairs (i, j), i > j, of the first `tokens` of `full` tokens; a pair's place is i(i-1)/2 + j.

    They are in the order in which `recfactory/layers/dot_product.py` packs them: a long row of the triangle
    is filled up by a short one, reversed, so that the triangle is a rectangle and needs no gather.
    """
    size, most = tokens * (tokens - 1) // 2, full * (full - 1) // 2
    if not isinstance(tokens, int):
        return Axis(size, most)
    width = tokens - 1 + tokens % 2
    row = np.arange((tokens + 1) // 2, tokens)[:, np.newaxis]
    column = np.arange(width)
    long = column < row
    i, j = np.where(long, row, width - row), np.where(long, column, width - 1 - column)
    return Axis(size, most, (i * (i - 1) // 2 + j).reshape(-1))
