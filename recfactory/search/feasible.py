"""Random candidates that keep constraints which need no evaluation, such as one on macs."""

from collections.abc import Sequence
from typing import Any

import numpy as np
import numpy.typing as npt

from recfactory.errors import UserError
from recfactory.search.candidates import AnyRows, Candidates
from recfactory.search.objectives import Constraint
from recfactory.space.genes import Rows

Floats = npt.NDArray[np.float64]
DRAWN = 1024
ROUNDS = 50


class InfeasibleError(UserError):
    """No candidate keeps the constraints."""


def cheap_excess(candidates: Candidates, constraints: Sequence[Constraint], rows: AnyRows) -> Floats:
    """By how much candidates break constraints on what needs no evaluation, `(n,)`; 0 where they keep them.

    Args:
        candidates: that the rows belong to.
        constraints: those on other scores are left alone.
        rows: `(n, length)`.
    """
    total = np.zeros(len(rows))
    if constraints and len(rows):
        measured = candidates.measure(rows)
        for constraint in constraints:
            if constraint.name in measured:
                total += constraint.excess(measured[constraint.name])
    return total


def sample_feasible(
    candidates: Candidates, constraints: Sequence[Constraint], count: int, rng: np.random.Generator
) -> Rows:
    """Random candidates that keep the constraints.

    Where random draws keep them too seldom, the least bad draws are mutated towards them.

    Args:
        candidates: to draw from.
        constraints: those on scores that need an evaluation are left alone.
        count: of candidates.
        rng: source of randomness.

    Raises:
        InfeasibleError: when none was found.
    """
    if not constraints:
        return candidates.sample(count, rng)
    drawn = candidates.sample(max(DRAWN, count), rng)
    kept: list[Any] = []
    for _ in range(ROUNDS):
        excess = cheap_excess(candidates, constraints, drawn)
        kept.extend(drawn[excess == 0])
        if len(kept) >= count:
            return np.asarray(kept[:count], np.int16)
        # Half of the next draws are fresh, half are mutants of the least bad ones.
        parents = drawn[np.argsort(excess, kind="stable")[: DRAWN // 8]]
        mutants = candidates.mutate(np.repeat(parents, 4, axis=0), rng)
        drawn = np.concatenate([candidates.sample(DRAWN - len(mutants), rng), mutants])
    if kept:
        return np.asarray(kept, np.int16)
    raise InfeasibleError(
        f"no candidate keeps {' and '.join(map(str, constraints))}; the nearest found has "
        f"{_nearest(candidates, constraints, drawn)}; relax the constraints"
    )


def _nearest(candidates: Candidates, constraints: Sequence[Constraint], rows: AnyRows) -> str:
    best = int(np.argmin(cheap_excess(candidates, constraints, rows)))
    measured = candidates.measure(rows[best : best + 1])
    names = dict.fromkeys(constraint.name for constraint in constraints if constraint.name in measured)
    return ", ".join(f"{name} {measured[name][0]:g}" for name in names)
