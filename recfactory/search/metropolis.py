"""Evolution of one candidate that now and then takes a step back."""

import math
from collections.abc import Sequence
from typing import Any

import numpy as np

from recfactory.search.feasible import sample_feasible
from recfactory.search.objectives import badness, only_objective
from recfactory.search.proposer import Proposer
from recfactory.search.trial import Trial
from recfactory.settings import require
from recfactory.space.genes import Rows


class MetropolisEvolution(Proposer):
    """Rounds of mutants of one candidate, the best of which may take its place (CSCO, arXiv 2404.17152).

    A better one always does, a worse one with probability exp(-d / tau), where d is the difference of the
    losses and tau falls to 0: temperature (1 + cos(pi i / T)) in round i of T. The first round is of random
    candidates. A round ends when enough trials are finished, failed or not; where results are pending, more
    mutants of that candidate are suggested, which count in the round in which they are finished.

    Args:
        round_size: trials of a round; the paper's 64 are for a predictor.
        burn_in: random trials of the first round; None for an eighth of the planned trials.
        temperature: half of that at the start, in units of the objective.
        trials: planned; the rounds follow from it.
        **options: as of `Proposer`; exactly one objective.

    Raises:
        UsageError: when there are several objectives.
    """

    def __init__(
        self,
        *args: Any,
        round_size: int = 8,
        burn_in: int | None = None,
        temperature: float = 0.01,
        trials: int = 2048,
        **options: Any,
    ) -> None:
        super().__init__(*args, **options)
        self.objective = only_objective(self.objectives, "metropolis")
        for name, value in (("round_size", round_size), ("burn_in", burn_in)):
            require(value is None or value >= 1, f"metropolis: {name}", value, "1 or more")
        require(temperature > 0, "metropolis: temperature", temperature, "above 0")
        self.round_size, self.temperature = round_size, temperature
        self.burn_in = burn_in or max(1, trials // 8)
        self.rounds = max(1, (trials - self.burn_in) // round_size)
        self._current: Trial | None = None
        self._judged = 0

    def propose(self, count: int, rng: np.random.Generator) -> Rows:
        """Mutants of the current candidate, each a single step away."""
        if self._current is None:
            return sample_feasible(self.candidates, self.constraints, count, rng)
        return self.candidates.mutate(np.array([self._current.row] * count), rng)

    def learn(self, trials: Sequence[Trial]) -> None:
        """Judges the rounds that are finished."""
        while len(self.trials) >= (end := self.burn_in + self._judged * self.round_size):
            begin = 0 if self._judged == 0 else end - self.round_size
            worked = [trial for trial in self.trials[begin:end] if trial.scores is not None]
            if worked:
                best = min(worked, key=self._badness)
                if self._current is None or self._accepts(best, self._current):
                    self._current = best
            self._judged += 1

    def dump_own(self) -> Any:
        """The current candidate and how many rounds were judged."""
        return {"current": self._current and self._current.to_dict(), "judged": self._judged}

    def load_own(self, state: Any) -> None:
        """Takes what `dump_own` gave."""
        self._current = state["current"] and Trial.from_dict(state["current"])
        self._judged = state["judged"]

    def _accepts(self, new: Trial, current: Trial) -> bool:
        (new_excess, new_loss), (excess, loss) = self._badness(new), self._badness(current)
        if new_excess != excess or new_loss <= loss:
            return (new_excess, new_loss) <= (excess, loss)
        share = min(1.0, (self._judged - 1) / self.rounds)
        tau = self.temperature * (1 + math.cos(math.pi * share))
        draw = np.random.default_rng((self.seed, self._judged)).random()
        return bool(tau > 0 and draw < math.exp((loss - new_loss) / tau))

    def _badness(self, trial: Trial) -> tuple[float, float]:
        return badness(self.objective, self.constraints, trial.scores or {})
