"""Random search, beside which every other search is reported."""

import numpy as np

from recfactory.search.feasible import sample_feasible
from recfactory.search.proposer import Proposer
from recfactory.space.genes import Rows


class RandomSearch(Proposer):
    """Random candidates."""

    def propose(self, count: int, rng: np.random.Generator) -> Rows:
        """As many random candidates as are wanted."""
        return sample_feasible(self.candidates, self.constraints, count, rng)
