"""What samplers of one stage share: nothing twice, constraints kept, state dumped and loaded."""

import math
from abc import ABC, abstractmethod
from collections.abc import Iterator, Mapping, Sequence
from numbers import Real
from typing import Any

import numpy as np

from recfactory.errors import UserError
from recfactory.search.candidates import Candidates
from recfactory.search.feasible import cheap_excess, sample_feasible
from recfactory.search.objectives import Constraint, Objective, check_constraints
from recfactory.search.trial import FIRST, Suggestion, Trial
from recfactory.space.genes import Rows

SPARE = 8
"""Rows that are proposed for one suggestion, since some were suggested before or break a constraint."""
ATTEMPTS = 8
"""Of proposals until random candidates take their place, and of ever more of those until none is left."""


class Proposer(ABC):
    """A sampler of one stage.

    A subclass says in `propose` where it looks; what was suggested before or breaks a constraint is left out
    here. How many suggestions are asked for at once makes no difference to them.

    Args:
        candidates: to search.
        objectives: of the trials.
        constraints: on scores; those that need no evaluation are kept by every suggestion, the others are on
            scores that every trial must report.
        seed: of all draws, at least 0.
        stage: in which the suggestions are evaluated.

    Raises:
        UserError: when constraints contradict each other.
    """

    def __init__(
        self,
        candidates: Candidates,
        objectives: Sequence[Objective],
        constraints: Sequence[Constraint] = (),
        seed: int = 0,
        stage: str = FIRST,
    ) -> None:
        check_constraints(constraints)
        self.candidates, self.objectives, self.constraints = candidates, tuple(objectives), tuple(constraints)
        self.seed, self.stage = seed, stage
        self.suggested: list[tuple[int, ...]] = []
        self.trials: list[Trial] = []
        self._seen: set[tuple[int, ...]] = set()
        self._in_vain = -1
        """How many trials there were when nothing new was found; until there are more, nothing will be."""
        names = [objective.name for objective in objectives]
        if constraints:
            measured = candidates.measure(candidates.sample(1, np.random.default_rng(seed)))
            names += [constraint.name for constraint in constraints if constraint.name not in measured]
        self._reported = tuple(dict.fromkeys(names))

    @property
    def done(self) -> bool:
        """Whether nothing more will be suggested."""
        # What others are still to report may lead to something new.
        return self._in_vain == len(self.trials) == len(self.suggested)

    def suggest(self, count: int = 1) -> list[Suggestion]:
        """The next candidates, see `Sampler.suggest`."""
        found: list[Suggestion] = []
        while len(found) < count and not self.done and len(self.trials) != self._in_vain:
            row = self._next()
            if row is None:
                self._in_vain = len(self.trials)
                break
            found.append(Suggestion(row, self.stage))
        return found

    def update(self, trials: Sequence[Trial]) -> None:
        """Learns how suggestions did, see `Sampler.update`."""
        check_scores(trials, self._reported)
        self.trials += trials
        self.learn(trials)

    def dump(self) -> dict[str, Any]:
        """The state as JSON values."""
        return {
            "suggested": [list(row) for row in self.suggested],
            "trials": [trial.to_dict() for trial in self.trials],
            "in_vain": self._in_vain,
            "own": self.dump_own(),
        }

    def load(self, state: Mapping[str, Any]) -> None:
        """Takes the state that `dump` gave, see `Sampler.load`."""
        self.suggested = [tuple(row) for row in state["suggested"]]
        self.trials = [Trial.from_dict(values) for values in state["trials"]]
        genes = self.candidates.genes(np.asarray(self.suggested)) if self.suggested else np.empty((0, 0))
        self._seen = set(map(tuple, genes.tolist()))
        self._in_vain = state["in_vain"]
        self.load_own(state["own"])

    @abstractmethod
    def propose(self, count: int, rng: np.random.Generator) -> Rows:
        """Rows for suggestion number `len(self.suggested)`: the first that is new becomes it.

        Args:
            count: of rows; more or fewer do no harm.
            rng: the only source of randomness.
        """

    def learn(self, trials: Sequence[Trial]) -> None:  # noqa: B027
        """What the algorithm does with finished trials beyond keeping them in `trials`."""

    def dump_own(self) -> Any:
        """The state of the algorithm itself, as JSON values."""
        return None

    def load_own(self, state: Any) -> None:  # noqa: B027
        """Takes what `dump_own` gave."""

    def _next(self) -> tuple[int, ...] | None:
        """The next suggestion; None when nothing new is found."""
        for attempt in range(2 * ATTEMPTS):
            # The draws follow from the number of suggestions, so that no random state is kept.
            rng = np.random.default_rng((self.seed, len(self.suggested), attempt))
            try:
                if attempt < ATTEMPTS:
                    rows = self.propose(SPARE, rng)
                else:
                    count = 2 * SPARE * 2 ** (attempt - ATTEMPTS)
                    rows = sample_feasible(self.candidates, self.constraints, count, rng)
            except UserError:
                if self.suggested:  # there are feasible candidates, but hardly any more
                    return None
                raise
            for row, genes in self._new(rows):
                self._seen.add(genes)
                self.suggested.append(row)
                return row
        return None

    def _different(self, rows: Sequence[Sequence[int]]) -> list[tuple[int, ...]]:
        """The rows that `_new` finds, without repeated networks."""
        first: dict[tuple[int, ...], tuple[int, ...]] = {}
        for row, genes in self._new(np.asarray(rows, np.int16)):
            first.setdefault(genes, row)
        return list(first.values())

    def _new(self, rows: Rows) -> Iterator[tuple[tuple[int, ...], tuple[int, ...]]]:
        """The rows, each with its genes, that keep the constraints and were not suggested before."""
        kept = rows[cheap_excess(self.candidates, self.constraints, rows) == 0] if len(rows) else rows
        if len(kept):
            found = self.candidates.genes(kept).tolist()
            for row, genes in zip(kept.tolist(), map(tuple, found), strict=True):
                if genes not in self._seen:
                    yield tuple(row), genes


def check_scores(trials: Sequence[Trial], names: Sequence[str]) -> None:
    """Refuses trials without a finite number for each score; failed ones need none.

    Args:
        trials: finished.
        names: of the scores.

    Raises:
        UserError: naming the score.
    """
    for trial in trials:
        for name in names if trial.scores is not None else ():
            value = (trial.scores or {}).get(name)
            if not isinstance(value, Real) or not math.isfinite(value):
                raise UserError(f"a trial's {name} must be a finite number, not {value}; report it as failed")
