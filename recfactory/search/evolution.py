"""Regularised evolution: the oldest die, not the worst."""

from collections.abc import Sequence
from itertools import islice
from typing import Any

import numpy as np

from recfactory.search.feasible import sample_feasible
from recfactory.search.objectives import badness, only_objective
from recfactory.search.proposer import Proposer
from recfactory.search.trial import Trial
from recfactory.settings import require
from recfactory.space.genes import Rows


class RegularisedEvolution(Proposer):
    """Mutants of the best among some of the latest trials (NASRec, arXiv 2207.07187, after Real et al. 2019).

    The first trials are the initial population. After that, each generation has one parent, and its children
    take the place of the oldest. The fewer generations are left, the nearer are children to their parent.
    Failed trials do not enter the population. Where results are pending, the parent comes from those known.

    Args:
        population: alive at once; None for a sixteenth of the planned trials, as in the paper (128 of 2,048),
            but at least 16.
        sampled: drawn from the population, the best of them is the parent; None for half of it, as in the
            paper.
        children: of a generation.
        trials: planned; the mutations of a child follow from it.
        start: rows of the initial population, taken in random order; random candidates where it is short.
        **options: as of `Proposer`; exactly one objective.

    Raises:
        UsageError: when there are several objectives, or for a number that cannot be.
    """

    def __init__(
        self,
        *args: Any,
        population: int | None = None,
        sampled: int | None = None,
        children: int = 8,
        trials: int = 2048,
        start: Sequence[Sequence[int]] = (),
        **options: Any,
    ) -> None:
        super().__init__(*args, **options)
        self.objective = only_objective(self.objectives, "evolution")
        for name, value in (("population", population), ("sampled", sampled), ("children", children)):
            require(value is None or value >= 1, f"evolution: {name}", value, "1 or more")
        self.population = population or max(16, trials // 16)
        self.sampled = sampled or max(1, self.population // 2)
        self.children = children
        self.generations = max(1, (trials - self.population) // children)
        order = np.random.default_rng(self.seed).permutation(len(start))
        self.start = self._different([start[place] for place in order])

    def propose(self, count: int, rng: np.random.Generator) -> Rows:
        """Members of the initial population, then children of the generation's parent."""
        born = len(self.suggested)
        generation = (born - self.population) // self.children
        if born < min(self.population, len(self.start)):
            return np.asarray(self.start[born : born + 1], np.int16)
        alive = self._alive(generation)
        if born < self.population or not alive:
            return sample_feasible(self.candidates, self.constraints, count, rng)
        parent = self._parent(generation, alive)
        return self.candidates.mutate(np.array([parent.row] * count), rng, self.mutations(generation))

    def mutations(self, generation: int) -> int:
        """Of each child, fewer from generation to generation.

        Args:
            generation: from 0 on.
        """
        left = max(0, self.generations - generation)
        return left // max(20, self.generations // 5) + 1

    def _alive(self, generation: int) -> list[Trial]:
        """The population when a generation began, or what is known of it."""
        known = self.trials[: self.population + max(0, generation) * self.children]
        worked = (trial for trial in reversed(known) if trial.scores is not None)
        return list(islice(worked, self.population))

    def _parent(self, generation: int, alive: list[Trial]) -> Trial:
        # All children of a generation draw the same.
        rng = np.random.default_rng((self.seed, generation))
        drawn = rng.choice(len(alive), min(self.sampled, len(alive)), replace=False)
        return min((alive[int(place)] for place in drawn), key=self._badness)

    def _badness(self, trial: Trial) -> tuple[float, float]:
        return badness(self.objective, self.constraints, trial.scores or {})
