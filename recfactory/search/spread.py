"""Of good candidates, those that are not all of one family."""

from collections.abc import Sequence

import numpy as np

from recfactory.search.candidates import Candidates
from recfactory.search.trial import Trial
from recfactory.space.effective import hamming

APART = 0.15
"""Share of the columns of genes in which two of them differ at least."""


def spread(candidates: Candidates, trials: Sequence[Trial], count: int, apart: float = APART) -> list[Trial]:
    """Trials that differ much from all better ones.

    What a supernet holds for best are mutants of each other, right or wrong together. Where too few trials
    differ enough, the best of the others fill up.

    Args:
        candidates: that the trials are of.
        trials: the best first.
        count: wanted.
        apart: see `APART`.

    Returns:
        `count` of them, or all there are; the best first.
    """
    if not trials:
        return []
    genes = candidates.genes(np.array([trial.row for trial in trials]))
    least = apart * genes.shape[1]
    taken: list[int] = []
    for place in range(len(trials)):
        if len(taken) < count and (hamming(genes[taken], genes[place]) >= least).all():
            taken.append(place)
    others = [place for place in range(len(trials)) if place not in taken]
    return [trials[place] for place in sorted([*taken, *others[: count - len(taken)]])]
