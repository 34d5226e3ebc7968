"""What a trial's stage means: a candidate is scored in a supernet, or trained alone."""

import fcntl
import sys
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import replace
from operator import itemgetter
from pathlib import Path as Folder
from typing import Any

import keras_tuner as kt

from recfactory.codesign.precision import Precision
from recfactory.errors import UserError
from recfactory.files import read_json
from recfactory.models import registry
from recfactory.quantise.model import quantised
from recfactory.quantise.tune import FEW_BITS, calibration, fine_tune_trained
from recfactory.search.trial import ALONE, SECOND
from recfactory.space.path import Path
from recfactory.supernet.samplers import ChosenPaths
from recfactory.supernet.score import Scorer
from recfactory.supernet.shot import ShotRecipe, train_shot
from recfactory.supernet.supernet import Supernet
from recfactory.training.folder import MODEL, RESULT
from recfactory.training.recipe import Recipe
from recfactory.training.score import measure, probabilities, read_answers
from recfactory.training.source import Source
from recfactory.training.train import ignore_line, train
from recfactory.tuner.chosen import read_chosen
from recfactory.tuner.forms import Candidate, parts_of

Train = Callable[..., dict[str, Any]]
VALID_ROWS = 20_000
"""That paths are scored on, the same ones for all; those trained alone are judged on every validation row."""
_LOGLOSS = itemgetter("logloss")


class Evaluator:
    """Evaluates trials; what it trains lies in the project's folder and is trained once.

    Args:
        source: of the rows.
        folder: of the project.
        supernet: recipe of the first shot.
        second: that of the second one.
        final: recipes of paths trained alone; each path is trained with all of them, and the best counts.
        train: trains a path alone, as `recfactory.training.train.train` does.
    """

    def __init__(
        self,
        source: Source,
        folder: Folder,
        supernet: ShotRecipe,
        second: ShotRecipe,
        final: Sequence[Recipe],
        train: Train = train,
    ) -> None:
        self.source, self.folder = source, folder
        self.supernet, self.second, self.final = supernet, second, final
        self._train = train
        self._scorer: tuple[str, Scorer] | None = None

    def scores(self, candidate: Candidate, stage: str, name: str) -> dict[str, float]:
        """Scores of a candidate: `val_logloss`, `val_auc`, `macs`, `params` (without the embedding table).

        A design is scored with its bits and crossbars on; trained alone it is first trained on with them.

        Args:
            candidate: of the trial.
            stage: of the trial.
            name: of the trial; a path trained alone lies in the folder of that name.

        Raises:
            kt.errors.FailedTrialError: when this path cannot be trained.
            UserError: when the supernet cannot.
        """
        path, precision = parts_of(candidate)
        if stage == ALONE:
            reached = self._alone(path, name)
            logloss, auc = reached["logloss"], reached["auc"]
            if precision is not None:
                logloss, auc = self._with_few_bits(precision, name)
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
        if stage == ALONE:
            return registry.load(best_alone(self.folder, name, precision is not None) / MODEL)
        extracted = self._scorer_of(path, stage).supernet.extract(path)
        if precision is None:
            return extracted
        return quantised(extracted, replace(precision, crossbar=None), calibration(self.source))

    def _alone(self, path: Path, name: str) -> dict[str, Any]:
        self._scorer = None  # its memory is needed
        folder = alone_folder(self.folder, name)
        with locked(folder):
            try:
                reached = [
                    self._train(self.source.features, path, folder / str(place), recipe, log=ignore_line)
                    for place, recipe in enumerate(self.final)
                ]
            except UserError as error:
                raise kt.errors.FailedTrialError(str(error)) from error
        return min(reached, key=_LOGLOSS)

    def _with_few_bits(self, precision: Precision, name: str) -> tuple[float, float]:
        """LogLoss and AUC of a path trained alone, on the crossbars of its machine."""
        best, out = best_alone(self.folder, name), alone_folder(self.folder, name) / FEW_BITS
        with locked(out):
            tuned = fine_tune_trained(best, precision, self.source, out, ignore_line)
        on_chip = quantised(tuned, precision, calibration(self.source))
        return measure(read_answers(self.source, "valid"), probabilities(on_chip, self.source, "valid"))

    def _scorer_of(self, path: Path, stage: str) -> Scorer:
        """Of the stage's supernet, which is trained when it is not yet; one is kept at a time."""
        if self._scorer is None or self._scorer[0] != stage:
            self._scorer = None
            self._scorer = stage, Scorer(self._trained(path, stage), self.source, valid_rows=VALID_ROWS)
        return self._scorer[1]

    def _trained(self, path: Path, stage: str) -> Supernet:
        recipe = self.second if stage == SECOND else self.supernet
        rows = read_chosen(self.folder) if stage == SECOND else None
        base = ChosenPaths(recipe.seed, rows) if rows else None
        out = self.folder / "supernet" / stage
        with locked(out):
            return train_shot(path.space, self.source, recipe, out, base)


def alone_folder(project: Folder, name: str) -> Folder:
    """Where a path that was trained alone lies: a folder for each recipe, counted from 0."""
    return project / ALONE / str(int(name))


def best_alone(project: Folder, name: str, few_bits: bool = False) -> Folder:
    """The folder of the recipe that was best for a path trained alone, or of its model with few bits."""
    if few_bits:
        return alone_folder(project, name) / FEW_BITS
    folders = sorted(file.parent for file in alone_folder(project, name).glob(f"[0-9]*/{RESULT}"))
    return min(folders, key=lambda folder: _LOGLOSS(read_json(folder / RESULT)))


@contextmanager
def locked(folder: Folder) -> Iterator[None]:
    """Keeps other workers out of a folder, which they find finished when they come in."""
    folder.parent.mkdir(parents=True, exist_ok=True)
    with folder.with_name(f"{folder.name}.lock").open("w") as lock:
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError:
            print(f"another worker is training '{folder}'; waiting for it", file=sys.stderr, flush=True)
            fcntl.flock(lock, fcntl.LOCK_EX)
        yield
