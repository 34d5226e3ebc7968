"""Which trials are best, for one objective or several, under constraints; the pure functions of NSGA-II.

Source: Deb et al., "A fast and elitist multiobjective genetic algorithm: NSGA-II" (IEEE Transactions on
Evolutionary Computation 6(2), 2002), sections III and VI.
"""

from collections.abc import Sequence

import numpy as np
import numpy.typing as npt

from recfactory.search.objectives import Constraint, Objective, total_excess
from recfactory.search.trial import Trial

Floats = npt.NDArray[np.float64]
Places = npt.NDArray[np.int64]


def loss_table(trials: Sequence[Trial], objectives: Sequence[Objective]) -> Floats:
    """The losses of trials that did not fail, `(trials, objectives)`; all shall be small."""
    losses = [[objective.loss(trial.scores or {}) for objective in objectives] for trial in trials]
    return np.asarray(losses, np.float64).reshape(len(trials), len(objectives))


def excesses(trials: Sequence[Trial], constraints: Sequence[Constraint]) -> Floats:
    """By how much trials that did not fail break the constraints, `(trials,)`; 0 where they keep them."""
    return np.array([total_excess(constraints, trial.scores or {}) for trial in trials], np.float64)


def non_dominated_ranks(losses: Floats, excess: Floats | None = None) -> Places:
    """The front that each point lies on, 0 being the best (constrained domination, section VI).

    A point dominates another when it breaks the constraints less, or as much and no loss is larger, one
    smaller.

    Args:
        losses: `(n, objectives)`.
        excess: by how much constraints are broken, `(n,)`; None for no constraints.

    Returns:
        `(n,)`.
    """
    broken = np.zeros(len(losses)) if excess is None else excess
    larger, smaller = np.zeros((2, len(losses), len(losses)), np.bool_)
    for loss in losses.T:
        larger |= loss[:, None] > loss
        smaller |= loss[:, None] < loss
    equal = broken[:, None] == broken
    dominates = (broken[:, None] < broken) | (equal & smaller & ~larger)
    dominators = dominates.sum(axis=0)
    ranks = np.full(len(losses), -1, np.int64)
    rank = 0
    while (ranks < 0).any():
        front = np.flatnonzero((ranks < 0) & (dominators == 0))
        ranks[front] = rank
        dominators -= dominates[front].sum(axis=0)
        rank += 1
    return ranks


def crowding(losses: Floats, ranks: Places) -> Floats:
    """How far apart each point's neighbours on its front are; infinite at the ends (section III.B).

    Args:
        losses: `(n, objectives)`.
        ranks: of `non_dominated_ranks`, `(n,)`.

    Returns:
        `(n,)`, in shares of the front's extent, summed over the objectives.
    """
    distances = np.zeros(len(losses))
    for rank in np.unique(ranks):
        front = np.flatnonzero(ranks == rank)
        for loss in losses.T:
            ordered = front[np.argsort(loss[front], kind="stable")]
            extent = loss[ordered[-1]] - loss[ordered[0]]
            distances[ordered[[0, -1]]] = np.inf
            if extent > 0:
                distances[ordered[1:-1]] += (loss[ordered[2:]] - loss[ordered[:-2]]) / extent
    return distances


def best_first(losses: Floats, excess: Floats) -> Places:
    """The places of points from best to worst: by rank, then the less crowded.

    Args:
        losses: `(n, objectives)`.
        excess: by how much constraints are broken, `(n,)`.

    Returns:
        `(n,)`; the first of equal points first.
    """
    if losses.shape[1] == 1:
        return np.lexsort((losses[:, 0], excess))
    ranks = non_dominated_ranks(losses, excess)
    return np.lexsort((-crowding(losses, ranks), ranks))


def pareto_front(
    trials: Sequence[Trial], objectives: Sequence[Objective], constraints: Sequence[Constraint] = ()
) -> list[Trial]:
    """The trials that keep the constraints and that no other such trial dominates, in the given order.

    Args:
        trials: of one stage; failed ones are left out.
        objectives: one or several.
        constraints: those on scores that the trials do not have need no evaluation, see `feasible.py`.
    """
    finished = [trial for trial in trials if trial.scores is not None]
    kept = [
        trial for trial, excess in zip(finished, excesses(finished, constraints), strict=True) if not excess
    ]
    ranks = non_dominated_ranks(loss_table(kept, objectives))
    return [trial for trial, rank in zip(kept, ranks, strict=True) if rank == 0]


def finalists(
    trials: Sequence[Trial],
    objectives: Sequence[Objective],
    constraints: Sequence[Constraint] = (),
    count: int = 1,
) -> list[Trial]:
    """The best trials, from the best on.

    Those that keep the constraints come first, among the others those that break them less; then by loss, or
    with several objectives by front and there the less crowded.

    Args:
        trials: of one stage; failed ones are left out.
        objectives: one or several.
        constraints: those on scores that the trials do not have need no evaluation, see `feasible.py`.
        count: wanted.

    Returns:
        `count` of them, or as many as there are.
    """
    finished = [trial for trial in trials if trial.scores is not None]
    order = best_first(loss_table(finished, objectives), excesses(finished, constraints))
    return [finished[place] for place in order[:count]]
