"""The knee of a Pareto front."""

import numpy as np

from recfactory.search.front import Floats, non_dominated_ranks


def knee(losses: Floats) -> int:
    """The knee of a front: the point farthest below the plane between its ends.

    Das, "On characterizing the knee of the Pareto curve based on normal-boundary intersection" (Structural
    Optimization 18, 1999): the point of the front whose distance to the line through the individual minima is
    the largest. Each loss runs from 0 to 1 over the front. Of three and more losses the individual minima may
    span no plane; the one through the ends of the axes takes its place (assumption), as it does in the line's
    case.

    Args:
        losses: `(n, objectives)`, at least one, all of which shall be small; points that others dominate are
            left out.

    Returns:
        The place of the point; the first of equal ones.
    """
    front = np.flatnonzero(non_dominated_ranks(losses) == 0)
    own = losses[front]
    extent = np.ptp(own, axis=0)
    scaled = (own - own.min(axis=0)) / np.where(extent > 0, extent, 1.0)
    # The distance of x to the plane sum(x) = 1 is (1 - sum(x)) / sqrt(objectives).
    return int(front[np.argmin(scaled.sum(axis=1))])
