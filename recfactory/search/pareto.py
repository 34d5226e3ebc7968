"""Evolution of a front, for several objectives."""

from collections.abc import Sequence
from typing import Any

import numpy as np

from recfactory.search.feasible import sample_feasible
from recfactory.search.front import Places, best_first, excesses, loss_table
from recfactory.search.proposer import Proposer
from recfactory.search.trial import Trial
from recfactory.settings import require
from recfactory.space.genes import Rows


class ParetoEvolution(Proposer):
    """Children of the best trials, by front and then the less crowded (NSGA-II, see `front.py`).

    The first trials are random. After that each trial that is finished enters the population and the worst
    leaves it, one at a time, so that results may be pending. A parent is the better of two drawn members.
    Trials that break constraints are worse than those that keep them; failed ones do not enter.

    Args:
        population: alive at once; None for a sixteenth of the planned trials, but at least 16.
        crossovers: the share of children of two parents; the others have one.
        trials: planned.
        start: rows; the first half of the first population is of these.
        **options: as of `Proposer`; one objective or several.
    """

    def __init__(
        self,
        *args: Any,
        population: int | None = None,
        crossovers: float = 0.9,
        trials: int = 2048,
        start: Sequence[Sequence[int]] = (),
        **options: Any,
    ) -> None:
        super().__init__(*args, **options)
        require(population is None or population >= 2, "pareto: population", population, "2 or more")
        require(0 <= crossovers <= 1, "pareto: crossovers", crossovers, "from 0 to 1")
        self.population, self.crossovers = population or max(16, trials // 16), crossovers
        self.start = self._different(start)[: self.population // 2]
        self._alive: list[int] = []
        """Places in `trials`, from the best on."""

    def propose(self, count: int, rng: np.random.Generator) -> Rows:
        """The start and random candidates for the first population, then mutated children of its members."""
        born = len(self.suggested)
        if born < len(self.start):
            return np.asarray(self.start[born : born + 1], np.int16)
        if born < self.population or not self._alive:
            return sample_feasible(self.candidates, self.constraints, count, rng)
        one, other = self._parents(count, rng), self._parents(count, rng)
        single = rng.random(count) >= self.crossovers
        other[single] = one[single]
        return self.candidates.mutate(self.candidates.crossover(one, other, rng), rng)

    def learn(self, trials: Sequence[Trial]) -> None:
        """Lets trials into the population one by one; how many come at once makes no difference."""
        for place in range(len(self.trials) - len(trials), len(self.trials)):
            if self.trials[place].scores is not None:
                members = [*self._alive, place]
                known = [self.trials[member] for member in members]
                order = best_first(loss_table(known, self.objectives), excesses(known, self.constraints))
                self._alive = [members[at] for at in order[: self.population]]

    def dump_own(self) -> Any:
        """The population."""
        return self._alive

    def load_own(self, state: Any) -> None:
        """Takes what `dump_own` gave."""
        self._alive = list(state)

    def _parents(self, count: int, rng: np.random.Generator) -> Rows:
        """The rows of the winners of binary tournaments."""
        # The population is in order, so that of two members the better has the lower place.
        places: Places = rng.integers(len(self._alive), size=(count, 2)).min(axis=1)
        return np.array([self.trials[self._alive[place]].row for place in places], np.int16)
