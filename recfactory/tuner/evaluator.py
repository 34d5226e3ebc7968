"""What a trial's stage means: a candidate is scored in a supernet, or trained alone."""

from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path as Folder
from typing import Any

import tensorflow as tf

from recfactory.errors import UserError
from recfactory.locked import locked
from recfactory.quantise.model import quantised
from recfactory.quantise.tune import calibration
from recfactory.search.trial import AGAIN, ALONE, SECOND
from recfactory.space.path import Path
from recfactory.supernet.samplers import ChosenPaths
from recfactory.supernet.score import Scorer, Scoring
from recfactory.supernet.shot import ShotRecipe, train_shot
from recfactory.supernet.supernet import Supernet
from recfactory.training.recipe import Recipe
from recfactory.training.source import Source
from recfactory.training.train import train
from recfactory.tuner.alone import Alone, Train, alone_model
from recfactory.tuner.chosen import read_chosen
from recfactory.tuner.forms import Candidate, parts_of

TRAINED = (ALONE, AGAIN)
"""Stages in which a candidate has weights of its own."""


class Evaluator:
    """Evaluates trials; what it trains lies in the project's folder and is trained once.

    Args:
        source: of the rows.
        folder: of the project.
        supernet: recipe of the first shot.
        second: that of the second one.
        scoring: how paths are scored in them; those trained alone are judged on every validation row.
        final: recipes of paths trained alone; each path is trained with all of them, and the best counts.
        train: trains a path alone, as `recfactory.training.train.train` does.
    """

    def __init__(
        self,
        source: Source,
        folder: Folder,
        supernet: ShotRecipe,
        second: ShotRecipe,
        scoring: Scoring,
        final: Sequence[Recipe],
        train: Train = train,
    ) -> None:
        self.source, self.folder = source, folder
        self.supernet, self.second, self.scoring = supernet, second, scoring
        self._alone = Alone(source, folder, final, train)
        self._scorer: tuple[str, Scorer] | None = None

    def scores(self, candidate: Candidate, stage: str, name: str) -> dict[str, float]:
        """Scores of a candidate: `val_logloss`, `val_auc`, `macs`, `params` (without the embedding table).

        A design is scored with its bits and crossbars on.

        Args:
            candidate: of the trial.
            stage: of the trial.
            name: of the trial; a path trained alone lies in the folder of that name.

        Raises:
            kt.errors.FailedTrialError: when this path cannot be trained.
            UserError: when the supernet cannot.
        """
        path, precision = parts_of(candidate)
        if stage in TRAINED:
            self._scorer = None  # its memory is needed
            score = self._alone.scores if stage == ALONE else self._alone.again
            logloss, auc = score(candidate, name)
        else:
            logloss, auc = self._scorer_of(path, stage).score(path, precision)
        return {
            "val_logloss": logloss,
            "val_auc": auc,
            "macs": float(path.macs),
            "params": float(path.params),
        }

    def model(self, candidate: Candidate, stage: str, name: str) -> Any:
        """The trained model of a finished trial; of a path in a supernet, with the shared last layer.

        Of a design it is the one with few bits, without what crossbars lose.
        """
        path, precision = parts_of(candidate)
        if stage in TRAINED:
            return alone_model(self.folder, name, candidate)
        extracted = self._scorer_of(path, stage).supernet.extract(path)
        if precision is None:
            return extracted
        return quantised(extracted, replace(precision, crossbar=None), calibration(self.source))

    def _scorer_of(self, path: Path, stage: str) -> Scorer:
        """Of the stage's supernet, which is trained when it is not yet; one is kept at a time."""
        if self._scorer is None or self._scorer[0] != stage:
            self._scorer = None
            self._scorer = stage, Scorer(self._trained(path, stage), self.source, self.scoring)
        return self._scorer[1]

    def _trained(self, path: Path, stage: str) -> Supernet:
        recipe = self.second if stage == SECOND else self.supernet
        rows = read_chosen(self.folder) if stage == SECOND else []
        base = ChosenPaths(recipe.seed, rows) if rows else None
        out = self.folder / "supernet" / stage
        with locked(out):
            try:
                return train_shot(path.space, self.source, recipe, out, base)
            except (MemoryError, tf.errors.ResourceExhaustedError) as error:
                raise UserError(
                    f"the supernet in '{out}' does not fit into memory; take a smaller batch_size, or fewer "
                    "or smaller blocks"
                ) from error
