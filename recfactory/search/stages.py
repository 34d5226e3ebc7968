"""Stages of a search, one after another, such as scoring in a supernet and then training the best alone."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from recfactory.search.sampler import Sampler
from recfactory.search.trial import Suggestion, Trial


@dataclass(frozen=True)
class Stage:
    """A part of a search with a sampler of its own.

    Args:
        name: as of its suggestions and trials.
        trials: it consists of.
        begin: makes its sampler from the trials of all earlier stages.
    """

    name: str
    trials: int
    begin: Callable[[Sequence[Trial]], Sampler]


class Stages:
    """A sampler that begins a stage once all trials of the one before are finished.

    Args:
        stages: of different names, at least one with trials.
    """

    def __init__(self, stages: Sequence[Stage]) -> None:
        self.stages = tuple(stage for stage in stages if stage.trials)
        self.trials: list[Trial] = []
        self._samplers: list[Sampler] = [self.stages[0].begin(())]
        self._suggested = [0]

    @property
    def done(self) -> bool:
        """Whether the last stage has suggested all it will."""
        return len(self._samplers) == len(self.stages) and self._left() == 0

    def suggest(self, count: int = 1) -> list[Suggestion]:
        """The next candidates, see `Sampler.suggest`; none while a stage waits for the one before."""
        found = self._samplers[-1].suggest(min(count, self._left()))
        self._suggested[-1] += len(found)
        if found or self._left() or self.done or len(self._finished()) < self._suggested[-1]:
            return found
        self._samplers.append(self.stages[len(self._samplers)].begin(tuple(self.trials)))
        self._suggested.append(0)
        return self.suggest(count)

    def update(self, trials: Sequence[Trial]) -> None:
        """Learns how suggestions did, see `Sampler.update`."""
        for place, stage in enumerate(self.stages[: len(self._samplers)]):
            of_stage = [trial for trial in trials if trial.stage == stage.name]
            if of_stage:
                self._samplers[place].update(of_stage)
        self.trials += trials

    def dump(self) -> dict[str, Any]:
        """The state as JSON values."""
        return {
            "suggested": list(self._suggested),
            "trials": [trial.to_dict() for trial in self.trials],
            "samplers": [sampler.dump() for sampler in self._samplers],
        }

    def load(self, state: Mapping[str, Any]) -> None:
        """Takes the state that `dump` gave; stages that had begun are begun again from their trials."""
        self.trials = [Trial.from_dict(values) for values in state["trials"]]
        self._samplers = []
        for place, dumped in enumerate(state["samplers"]):
            earlier = {stage.name for stage in self.stages[:place]}
            sampler = self.stages[place].begin([trial for trial in self.trials if trial.stage in earlier])
            sampler.load(dumped)
            self._samplers.append(sampler)
        self._suggested = list(state["suggested"])

    def _left(self) -> int:
        """How many trials the stage that has begun last may still suggest."""
        if self._samplers[-1].done:
            return 0
        return self.stages[len(self._samplers) - 1].trials - self._suggested[-1]

    def _finished(self) -> list[Trial]:
        name = self.stages[len(self._samplers) - 1].name
        return [trial for trial in self.trials if trial.stage == name]
