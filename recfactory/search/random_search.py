"""Random search, beside which every other search is reported."""

from collections.abc import Sequence
from typing import Any

import numpy as np

from recfactory.search.feasible import sample_feasible
from recfactory.search.proposer import Proposer
from recfactory.space.genes import Rows


class RandomSearch(Proposer):
    """Random candidates.

    Args:
        start: rows; every other suggestion is one of these, as long as there are any.
        **options: as of `Proposer`.
    """

    def __init__(self, *args: Any, start: Sequence[Sequence[int]] = (), **options: Any) -> None:
        super().__init__(*args, **options)
        self.start = self._different(start)

    def propose(self, count: int, rng: np.random.Generator) -> Rows:
        """A row of the start, or as many random candidates as are wanted."""
        turn, rest = divmod(len(self.suggested), 2)
        if not rest and turn < len(self.start):
            return np.asarray(self.start[turn : turn + 1], np.int16)
        return sample_feasible(self.candidates, self.constraints, count, rng)
