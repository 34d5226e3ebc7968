"""Which trials of a search are its best."""

from collections.abc import Sequence

from recfactory.search.front import finalists
from recfactory.search.objectives import Constraint, Objective
from recfactory.search.trial import AGAIN, ALONE, FIRST, SECOND
from recfactory.tuner.ledger import Entry

STAGES = (AGAIN, ALONE, SECOND, FIRST)
"""The most telling scores first: those of different stages cannot be compared."""


def best_first(
    entries: Sequence[Entry], objectives: Sequence[Objective], constraints: Sequence[Constraint] = ()
) -> list[Entry]:
    """Finished trials, the best first: by stage in the order of `STAGES`, then as `front.finalists` has them.

    Args:
        entries: of a search; running and failed ones are left out.
        objectives: of the search.
        constraints: of the search.
    """
    ordered: list[Entry] = []
    for stage in STAGES:
        found = {entry.row: entry for entry in entries if entry.stage == stage and entry.scores is not None}
        trials = [entry.trial for entry in found.values()]
        ordered += [found[t.row] for t in finalists(trials, objectives, constraints, len(trials))]
    return ordered
