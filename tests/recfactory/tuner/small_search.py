"""Searches whose trials cost nothing."""

import zlib

import keras_tuner as kt

from recfactory.space import Space
from recfactory.space.genes import encode
from recfactory.space.hyperparameters import from_hyperparameters
from recfactory.tuner.loop import Tuner
from recfactory.tuner.one_shot import EvolutionOracle

SPACE = Space(2, 3, blocks=2, dense_dims=(4, 8, 16), sparse_dims=(2, 4), embedding_dim=4, merger_tokens=2)


def price(row):
    """A score that depends on the genes and nothing else."""
    return 0.1 + zlib.crc32(bytes(row)) / 2**32


def row_of(trial, space=SPACE):
    return tuple(encode([from_hyperparameters(space, trial.hyperparameters)])[0].tolist())


class Cheap:
    """Scores each path by its price; `fails` says which trials do not work, by number."""

    def __init__(self, *arguments, fails=lambda number: False, **options):
        self.fails, self.ran = fails, []
        super().__init__(*arguments, **options)

    def run_trial(self, trial, *_, **__):
        self.ran.append(trial.trial_id)
        trial.hyperparameters.Int("batch_size", 8, 64, default=32)  # as a HyperModel's `fit` may
        if self.fails(int(trial.trial_id)):
            raise kt.errors.FailedTrialError("it does not work")
        found = price(row_of(trial))
        # Trials trained alone come out a little otherwise.
        return {"val_logloss": found + 0.01 * (trial.hyperparameters.values["stage"] == "alone")}


class CheapTuner(Cheap, Tuner):
    pass


class StockTuner(Cheap, kt.Tuner):
    """As keras-tuner itself has it."""


def evolution(**changes):
    return EvolutionOracle(SPACE, **{"max_trials": 20, "population": 6, "seed": 0, **changes})


def tuner(folder, oracle=None, **options):
    return CheapTuner(oracle or evolution(), directory=str(folder), project_name="search", **options)


def told(oracle):
    """The trials of an oracle: row, stage, scores, error."""
    return [(e.row, e.stage, e.scores, e.error) for e in oracle._known().entries]
