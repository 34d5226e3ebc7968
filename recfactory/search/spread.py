"""Which good candidates are trained alone: some that are not all of one family."""

from collections.abc import Sequence

import numpy as np

from recfactory.search.candidates import Candidates
from recfactory.search.trial import Trial
from recfactory.space.effective import hamming

APART = 0.25
"""Share of the columns of genes in which two of them differ at least, if there are enough such."""


def spread(candidates: Candidates, trials: Sequence[Trial], count: int) -> list[Trial]:
    """Trials whose architectures differ much from those of all better ones.

    What a supernet holds for best are mutants of each other, right or wrong together, and an architecture
    learns the same for whatever machine. Where too few trials
    differ so much, those that differ half as much follow, and so on.

    Args:
        candidates: that the trials are of.
        trials: the best first.
        count: wanted.

    Returns:
        `count` of them, or all there are; the best first.
    """
    if not trials:
        return []
    genes = candidates.architectures(np.array([trial.row for trial in trials]))
    least = APART * genes.shape[1]
    taken: list[int] = []
    while len(taken) < min(count, len(trials)):
        for place in range(len(trials)):
            new = place not in taken and len(taken) < count
            if new and (hamming(genes[taken], genes[place]) >= least).all():
                taken.append(place)
        least = least / 2 if least > 1 else 0
    return [trials[place] for place in sorted(taken)]


def best_of_start(
    candidates: Candidates, trials: Sequence[Trial], start: Sequence[Sequence[int]]
) -> list[Trial]:
    """The best trial of each architecture that a search began from, which shall not lose to what is found.

    A supernet ranks what differs from a good architecture worse than it ranks what runs that one otherwise.

    Args:
        candidates: that the trials are of.
        trials: the best first.
        start: rows with the architectures.

    Returns:
        At most one per architecture; the best first.
    """
    if not start or not trials:
        return []
    known = set(map(tuple, candidates.architectures(np.asarray(start)).tolist()))
    found: list[Trial] = []
    rows = np.array([trial.row for trial in trials])
    for trial, genes in zip(trials, candidates.architectures(rows).tolist(), strict=True):
        if tuple(genes) in known:
            known.remove(tuple(genes))
            found.append(trial)
    return found
