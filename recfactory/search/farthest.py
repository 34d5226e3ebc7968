"""Farthest Greedy Path Sampling: out of many good candidates, a set whose members differ much."""

from dataclasses import dataclass
from typing import Literal

import numpy as np
import numpy.typing as npt

from recfactory.search.candidates import AnyRows
from recfactory.settings import require

Places = npt.NDArray[np.int64]


@dataclass(frozen=True)
class Farthest:
    """The numbers of Farthest Greedy Path Sampling; they are the paper's (arXiv 2310.20705).

    Args:
        size: of the set that is chosen.
        drawn: candidates that a round compares with the set; as many begin the set.
        moved: of them into the set, those farthest from it.
        over: the columns compared: effective genes, or the rows themselves as in the paper.
    """

    size: int = 5_500
    drawn: int = 200
    moved: int = 20
    over: Literal["genes", "rows"] = "genes"

    def __post_init__(self) -> None:
        for name in ("size", "drawn", "moved"):
            value = getattr(self, name)
            require(value >= 1, f"farthest: {name}", value, "1 or more")
        require(self.moved <= self.drawn, "farthest: moved", self.moved, f"at most the {self.drawn} drawn")
        require(self.over in ("genes", "rows"), "farthest: over", f"'{self.over}'", "genes or rows")


def choose_farthest(columns: AnyRows, farthest: Farthest, rng: np.random.Generator) -> Places:
    """Chooses a set whose members differ in many columns.

    A round moves those of its random draws into the set whose sum of Hamming distances to it is greatest.
    That sum is, over the columns, the size of the set less how often it holds the candidate's symbol: counts
    of symbols take the place of all pairs.

    Args:
        columns: symbols of the candidates, whole numbers from 0, `(n, length)`.
        farthest: the numbers.
        rng: source of randomness.

    Returns:
        The places of the chosen ones, round by round: `size`, or n where there are fewer.
    """
    count, length = columns.shape
    size = min(farthest.size, count)
    held = np.zeros((length, int(columns.max(initial=0)) + 1), np.int64)
    # The chosen ones come to stand first, so that a round need not look at all the others.
    order, chosen = np.arange(count), 0
    while chosen < size:
        drawn = chosen + rng.choice(count - chosen, min(farthest.drawn, count - chosen), replace=False)
        nearness = held[np.arange(length), columns[order[drawn]]].sum(axis=1)
        moved = min(farthest.moved if chosen else farthest.drawn, size - chosen)
        for place in np.sort(drawn[nearness.argsort(kind="stable")[:moved]]):
            order[[chosen, place]] = order[[place, chosen]]
            held[np.arange(length), columns[order[chosen]]] += 1
            chosen += 1
    return order[:size]
