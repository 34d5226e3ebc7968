"""What samplers of one stage share: nothing twice, constraints kept, state dumped and loaded."""

import math
from abc import ABC, abstractmethod
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

import numpy as np

from recfactory.errors import UserError
from recfactory.search.candidates import Candidates
from recfactory.search.feasible import cheap_excess, sample_feasible
from recfactory.search.objectives import Constraint, Objective, check_constraints
from recfactory.search.trial import FIRST, Suggestion, Trial
from recfactory.space.genes import Rows

ROUNDS = 20
"""Of proposals until random candidates take their place, and of those until the space counts as exhausted."""


class Proposer(ABC):
    """A sampler of one stage.

    A subclass says in `propose` where it looks; what was suggested before or breaks a constraint is left out
    here.

    Args:
        candidates: to search.
        objectives: of the trials.
        constraints: on scores; those that need no evaluation are kept by every suggestion.
        seed: of all draws.
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
        self._exhausted = False

    @property
    def done(self) -> bool:
        """Whether nothing more will be suggested."""
        return self._exhausted

    def suggest(self, count: int = 1) -> list[Suggestion]:
        """The next candidates, see `Sampler.suggest`."""
        found: list[tuple[int, ...]] = []
        for attempt in range(2 * ROUNDS):
            if len(found) == count:
                break
            # The draws of a call follow from the number of suggestions, so that no random state is kept.
            rng = np.random.default_rng((self.seed, len(self.suggested), attempt))
            wanted = count - len(found)
            if attempt < ROUNDS:
                rows = self.propose(wanted, rng)
            else:
                rows = sample_feasible(self.candidates, self.constraints, wanted, rng)
            for row, genes in self._new(rows):
                if len(found) < count:
                    self._seen.add(genes)
                    found.append(row)
        self._exhausted = len(found) < count
        self.suggested += found
        return [Suggestion(row, self.stage) for row in found]

    def update(self, trials: Sequence[Trial]) -> None:
        """Learns how suggestions did, see `Sampler.update`."""
        check_scores(trials, self.objectives)
        self.trials += trials
        self.learn(trials)

    def dump(self) -> dict[str, Any]:
        """The state as JSON values."""
        return {
            "suggested": [list(row) for row in self.suggested],
            "trials": [trial.to_dict() for trial in self.trials],
            "own": self.dump_own(),
        }

    def load(self, state: Mapping[str, Any]) -> None:
        """Takes the state that `dump` gave, see `Sampler.load`."""
        self.suggested = [tuple(row) for row in state["suggested"]]
        self.trials = [Trial.from_dict(values) for values in state["trials"]]
        genes = self.candidates.genes(np.asarray(self.suggested)) if self.suggested else np.empty((0, 0))
        self._seen = set(map(tuple, genes.tolist()))
        self.load_own(state["own"])

    @abstractmethod
    def propose(self, count: int, rng: np.random.Generator) -> Rows:
        """Where the algorithm looks next: about `count` rows; ones suggested before do no harm.

        Args:
            count: wanted.
            rng: the only source of randomness.
        """

    def learn(self, trials: Sequence[Trial]) -> None:  # noqa: B027
        """What the algorithm does with finished trials beyond keeping them in `trials`."""

    def dump_own(self) -> Any:
        """The state of the algorithm itself, as JSON values."""
        return None

    def load_own(self, state: Any) -> None:  # noqa: B027
        """Takes what `dump_own` gave."""

    def _new(self, rows: Rows) -> Iterator[tuple[tuple[int, ...], tuple[int, ...]]]:
        """The rows, each with its genes, that keep the constraints and whose networks are new."""
        kept = rows[cheap_excess(self.candidates, self.constraints, rows) == 0] if len(rows) else rows
        if len(kept):
            seen = set(self._seen)
            for row, genes in zip(
                kept.tolist(), map(tuple, self.candidates.genes(kept).tolist()), strict=True
            ):
                if genes not in seen:
                    seen.add(genes)
                    yield tuple(row), genes


def check_scores(trials: Sequence[Trial], objectives: Sequence[Objective]) -> None:
    """Refuses trials without a finite number for each objective; failed ones need none.

    Raises:
        UserError: naming the score.
    """
    for trial in trials:
        for objective in objectives if trial.scores is not None else ():
            value = (trial.scores or {}).get(objective.name)
            if value is None or not math.isfinite(value):
                raise UserError(
                    f"a trial's {objective.name} must be a finite number, not {value}; report it as failed"
                )
