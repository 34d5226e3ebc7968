"""Trials in keras-tuner's form, made from the ledger when they are asked for.

A `kt.Trial` carries a copy of the whole space; thousands of them would fill the memory.
"""

from collections.abc import Callable, Iterator, Mapping, Sequence

import keras_tuner as kt
import numpy as np
from keras_tuner.src.engine.trial import Trial, TrialStatus

from recfactory.search.objectives import Objective
from recfactory.tuner.forms import Searched, to_hyperparameters
from recfactory.tuner.ledger import Entry

STAGE = "stage"
"""Name of the hyperparameter that says how a trial is evaluated."""


def trial_id(number: int, planned: int) -> str:
    """Name of a trial, as keras-tuner writes it."""
    return f"{number:0{len(str(planned))}d}"


def empty_trial(status: str) -> Trial:
    """What a worker gets when there is no trial for it: IDLE or STOPPED."""
    return Trial(kt.HyperParameters(), trial_id="", status=status)


def make_trial(
    entry: Entry, name: str, searched: Searched, known: "kt.HyperParameters", objectives: Sequence[Objective]
) -> Trial:
    """A trial of the ledger.

    Args:
        entry: the trial.
        name: its id.
        searched: the candidates that it is one of.
        known: all hyperparameters there are; those that are no genes get their defaults.
        objectives: of the search; the score is the first one's.
    """
    hyperparameters = to_hyperparameters(searched, np.asarray(entry.row))
    hyperparameters.merge([other for other in known.space if other.name not in hyperparameters.values])
    hyperparameters.values[STAGE] = entry.stage
    trial = Trial(hyperparameters, name, _status(entry), entry.error)
    directions = {objective.name: objective.direction for objective in objectives}
    for score, value in (entry.scores or {}).items():
        trial.metrics.register(score, direction=directions.get(score, "min"))
        trial.metrics.update(score, value)
    trial.score = None if entry.scores is None else entry.scores[objectives[0].name]
    return trial


def _status(entry: Entry) -> str:
    if entry.running:
        return TrialStatus.RUNNING
    return TrialStatus.COMPLETED if entry.error is None else TrialStatus.FAILED


class Trials(Mapping[str, Trial]):
    """All trials by name, in the order of their numbers.

    Args:
        names: gives the names there are.
        get: makes the trial of a name.
    """

    def __init__(self, names: Callable[[], list[str]], get: Callable[[str], Trial]) -> None:
        self._names, self._get = names, get

    def __getitem__(self, name: str) -> Trial:
        return self._get(name)

    def __contains__(self, name: object) -> bool:
        return name in self._names()

    def __iter__(self) -> Iterator[str]:
        return iter(self._names())

    def __len__(self) -> int:
        return len(self._names())
