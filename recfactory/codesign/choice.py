"""Choosing one candidate of a Pareto front, by rule."""

from collections.abc import Sequence

import numpy as np

from recfactory.errors import UserError
from recfactory.search.front import Floats, excesses, loss_table, non_dominated_ranks, pareto_front
from recfactory.search.objectives import Constraint, Objective
from recfactory.search.trial import Trial


def knee(losses: Floats) -> int:
    """The knee of a front: the point farthest below the plane between its ends.

    Das, "On characterizing the knee of the Pareto curve based on normal-boundary intersection" (Structural
    Optimization 18, 1999): the point of the front whose distance to the line through the individual minima is
    the largest. Each loss runs from 0 to 1 over the front. Of three and more losses the individual minima may
    span no plane; the one through the ends of the axes takes its place (assumption), as it does in the line's
    case.

    Args:
        losses: `(n, objectives)`, all of which shall be small; points that others dominate are left out.

    Returns:
        The place of the point; the first of equal ones.

    Raises:
        UserError: when there is no point.
    """
    if not len(losses):
        raise UserError("a front without points has no knee")
    front = np.flatnonzero(non_dominated_ranks(losses) == 0)
    own = losses[front]
    extent = np.ptp(own, axis=0)
    scaled = (own - own.min(axis=0)) / np.where(extent > 0, extent, 1.0)
    # The distance of x to the plane sum(x) = 1 is (1 - sum(x)) / sqrt(objectives).
    return int(front[np.argmin(scaled.sum(axis=1))])


def choose_knee(
    trials: Sequence[Trial], objectives: Sequence[Objective], constraints: Sequence[Constraint] = ()
) -> Trial:
    """The knee of the front of trials that keep the constraints.

    Args:
        trials: of one stage.
        objectives: at least one.
        constraints: on their scores.

    Raises:
        UserError: when none keeps the constraints.
    """
    front = pareto_front(trials, objectives, constraints)
    if not front:
        raise UserError(_none(trials, constraints))
    return front[knee(loss_table(front, objectives))]


def choose_within(
    trials: Sequence[Trial], objective: Objective, constraints: Sequence[Constraint] = ()
) -> Trial:
    """The best trial under a budget.

    Args:
        trials: of one stage.
        objective: that shall be best.
        constraints: the budget.

    Returns:
        The first of equal ones.

    Raises:
        UserError: when none keeps the constraints.
    """
    finished = [trial for trial in trials if trial.scores is not None]
    excess = excesses(finished, constraints)
    kept = [trial for trial, over in zip(finished, excess, strict=True) if not over]
    if not kept:
        raise UserError(_none(trials, constraints))
    return kept[int(np.argmin(loss_table(kept, [objective])[:, 0]))]


def _none(trials: Sequence[Trial], constraints: Sequence[Constraint]) -> str:
    finished = [trial for trial in trials if trial.scores is not None]
    if not finished:
        return "none of the trials worked, so that there is none to choose; look into the failures"
    nearest = finished[int(np.argmin(excesses(finished, constraints)))].scores or {}
    names = dict.fromkeys(constraint.name for constraint in constraints if constraint.name in nearest)
    has = ", ".join(f"{name} {nearest[name]:g}" for name in names)
    return (
        f"none of {len(finished)} trials keeps {' and '.join(map(str, constraints))}; the nearest has {has}: "
        "relax the constraints"
    )
