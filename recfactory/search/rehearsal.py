"""Searches whose trials need no evaluation: a score is a sum of fixed random numbers, one for each gene."""

import json
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from functools import cache

import numpy as np
import numpy.typing as npt

from recfactory.errors import UserError
from recfactory.search.candidates import Candidates, Paths
from recfactory.search.objectives import Constraint, Objective
from recfactory.search.sampler import Sampler
from recfactory.search.trial import Suggestion, Trial
from recfactory.space.space import Space

Make = Callable[[Candidates, Sequence[Objective], Sequence[Constraint], int], Sampler]
"""Makes a sampler from candidates, objectives, constraints and a seed."""
SPACE = Space(3, 2, blocks=3, dense_dims=(4, 8, 16), sparse_dims=(2, 4), embedding_dim=8, merger_tokens=2)
TINY = Space(
    3, 2, blocks=1, dense_operators=("fc",), sparse_operators=("efc",), dense_dims=(4, 8), sparse_dims=(2, 4)
)
"""A space of few networks."""
PATHS, FEW = Paths(SPACE), Paths(TINY)


def never(number: int) -> bool:
    """No trial fails."""
    return False


@dataclass
class Rehearsal:
    """A search of this kind.

    Args:
        make: the sampler.
        objectives: of the sampler.
        seed: of the sampler.
        candidates: that are searched.
        constraints: of the sampler; trials have the scores `macs`, `params` and `price` too.
        workers: how many trials are pending at once; they finish out of order.
        fails: which trials fail, by the number in which they were suggested.
    """

    make: Make
    objectives: Sequence[Objective]
    seed: int = 0
    candidates: Candidates = field(default_factory=lambda: PATHS)
    constraints: Sequence[Constraint] = ()
    workers: int = 1
    fails: Callable[[int], bool] = never
    sampler: Sampler = field(init=False)
    suggested: list[Suggestion] = field(default_factory=list, init=False)
    pending: list[Trial] = field(default_factory=list, init=False)
    finished: list[Trial] = field(default_factory=list, init=False)

    def __post_init__(self) -> None:
        self.sampler = self.make(self.candidates, self.objectives, self.constraints, self.seed)

    def run(self, trials: int) -> list[Suggestion]:
        """Goes on until so many trials are suggested in all, or the sampler is done.

        Returns:
            All suggestions.

        Raises:
            AssertionError: when the sampler suggests too many, or nothing although nothing is pending.
        """
        while len(self.suggested) < trials and not self.sampler.done:
            wanted = min(self.workers - len(self.pending), trials - len(self.suggested))
            found = self.sampler.suggest(wanted)
            require(len(found) <= wanted, f"{wanted} were wanted, {len(found)} suggested")
            for suggestion in found:
                self.pending.append(self.evaluate(suggestion, len(self.suggested)))
                self.suggested.append(suggestion)
            if self.pending and (len(self.pending) == self.workers or len(found) < wanted):
                self.finish(self.pending.pop(len(self.suggested) * 7 % len(self.pending)))
            elif not found:
                require(self.sampler.done, "it suggests nothing, waits for no trial and is not done")
        return self.suggested

    def finish(self, *trials: Trial) -> None:
        """Reports trials to the sampler."""
        self.sampler.update(trials)
        self.finished += trials

    def evaluate(self, suggestion: Suggestion, number: int) -> Trial:
        """The trial of a suggestion.

        Args:
            suggestion: that is evaluated.
            number: of suggestions before it.

        Raises:
            AssertionError: when it is no candidate.
        """
        try:
            self.candidates.decode(np.array([suggestion.row]))
        except UserError as error:
            raise AssertionError(f"a suggestion is no candidate: {error}") from error
        if self.fails(number):
            return Trial(suggestion.row, suggestion.stage, None)
        names = ("price", *(objective.name for objective in self.objectives))
        scores = _scores(self.candidates, suggestion.row, names)  # type: ignore[arg-type]  # hashed by identity
        return Trial(suggestion.row, suggestion.stage, dict(scores))

    def resumed(self) -> "Rehearsal":
        """The same search with a new sampler that was told the state of this one's, through JSON text."""
        other = Rehearsal(
            self.make, self.objectives, self.seed, self.candidates, self.constraints, self.workers, self.fails
        )
        other.sampler.load(json.loads(json.dumps(self.sampler.dump(), allow_nan=False)))
        other.suggested, other.pending = list(self.suggested), list(self.pending)
        other.finished = list(self.finished)
        return other


def require(kept: bool, message: str) -> None:
    """Raises an AssertionError with the message unless it is kept."""
    if not kept:
        raise AssertionError(message)


@cache
def _scores(candidates: Candidates, row: tuple[int, ...], names: tuple[str, ...]) -> dict[str, float]:
    (genes,) = candidates.genes(np.array([row]))
    scores = {name: float(values[0]) for name, values in candidates.measure(np.array([row])).items()}
    for place, name in enumerate(names):
        if name not in scores:
            weights = _weights(place, len(genes), max(candidates.symbols))
            scores[name] = float(weights[range(len(genes)), genes].sum())
    return scores


@cache
def _weights(seed: int, columns: int, symbols: int) -> npt.NDArray[np.float64]:
    return np.random.default_rng(seed).normal(size=(columns, symbols))
