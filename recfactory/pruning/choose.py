"""Which groups, or which single weights, are removed for a number of multiply-accumulates."""

from collections import Counter
from collections.abc import Sequence
from typing import Any

import numpy as np

from recfactory.pruning.anatomy import macs
from recfactory.pruning.cut import Cut, close, copy
from recfactory.pruning.groups import Floats, Group
from recfactory.space.path import Path
from recfactory.space.wiring import Part

MOST = 0.5
"""Share of the channels of one kind of a part that one round removes at most; a last one may go."""
SPARED, TRIES = 0.9, 40
"""A group is spared whose removal leaves less than this share of the target; how often at most."""


def remove(path: Path, cut: Cut, ranked: Sequence[Group], target: float) -> Cut:
    """Removes the groups of the least worth, as many as are needed.

    Args:
        path: the architecture.
        cut: closed; what is left of it.
        ranked: groups, the least worth first.
        target: multiply-accumulates per example that shall be left at most.

    Returns:
        A closed cut; with more left where no group may be removed any longer.
    """
    allowed, best = _allowed(cut, ranked), None

    def miss(found: Cut) -> tuple[bool, float]:
        """By how much a cut misses the target; more left is worse than less."""
        size = macs(path, found)
        return size > target, abs(size - target)

    for _ in range(TRIES):
        few = _enough(path, cut, allowed, target)
        found = _without(path, cut, allowed[:few])
        size = macs(path, found)
        # The last part of a path always reads something.
        if _has_output(found) and (best is None or miss(found) < miss(best)):
            best = found
        if few == 0 or (SPARED * target <= size and _has_output(found)):
            break
        # The last group takes much else with it, such as a whole operator: others go instead.
        del allowed[few - 1]
    return cut if best is None else best


def _enough(path: Path, cut: Cut, allowed: Sequence[Group], target: float) -> int:
    """How many of the first groups must go; all of them where that is not enough."""
    few, many = 0, len(allowed)
    while few < many:
        middle = (few + many) // 2
        if macs(path, _without(path, cut, allowed[:middle])) <= target:
            many = middle
        else:
            few = middle + 1
    return few


def smallest(worths: Sequence[Floats], costs: Sequence[int], excess: float) -> list[Any]:
    """The single weights of the least worth for what they cost, as many as make up for an excess.

    Args:
        worths: of the weights, an array per matrix; those that are removed already are infinite.
        costs: multiply-accumulates per weight of each matrix.
        excess: multiply-accumulates to remove at least.

    Returns:
        Flags of the weights to remove, an array per matrix.
    """
    flat = np.concatenate([worth.reshape(-1) for worth in worths])
    price = np.concatenate([np.full(worth.size, cost) for worth, cost in zip(worths, costs, strict=True)])
    order = np.argsort(flat / price, kind="stable")
    count = int(np.searchsorted(np.cumsum(price[order]), excess)) + 1 if excess > 0 else 0
    gone = np.zeros(len(flat), np.bool_)
    gone[order[:count]] = True
    gone &= np.isfinite(flat)
    ends = np.cumsum([worth.size for worth in worths])
    return [
        piece.reshape(worth.shape) for piece, worth in zip(np.split(gone, ends[:-1]), worths, strict=True)
    ]


def _allowed(cut: Cut, ranked: Sequence[Group]) -> list[Group]:
    """Groups of which none takes more than its share of a part: no layer collapses before others."""
    lost: Counter[tuple[Part, int | str]] = Counter()
    found = []
    for group in ranked:
        kind, size = group.place[:2], int(group.place.flags(cut).sum())
        if lost[kind] + size <= max(1, MOST * group.place.around(cut).sum()):
            lost[kind] += size
            found.append(group)
    return found


def _without(path: Path, cut: Cut, removed: Sequence[Group]) -> Cut:
    found = copy(cut)
    for group in removed:
        group.place.flags(found)[:] = False
    close(path, found)
    return found


def _has_output(cut: Cut) -> bool:
    return any(left.alive for part, left in cut.items() if part.role == "head")
