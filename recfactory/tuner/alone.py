"""Candidates that are trained alone: those that a search ends with."""

from collections.abc import Callable, Sequence
from dataclasses import replace
from operator import itemgetter
from pathlib import Path as Folder
from typing import Any

import keras_tuner as kt

from recfactory.codesign.design_file import precision_to_dict
from recfactory.errors import UserError
from recfactory.files import read_json, write_json
from recfactory.locked import locked
from recfactory.models import registry
from recfactory.quantise.model import quantised
from recfactory.quantise.precision import Precision
from recfactory.quantise.tune import FEW_BITS, calibration, fine_tune_trained
from recfactory.search.trial import ALONE
from recfactory.training.folder import MODEL, RECIPE, RESULT
from recfactory.training.recipe import Recipe
from recfactory.training.score import measure, probabilities, read_answers
from recfactory.training.source import Source
from recfactory.training.train import ignore_line, train
from recfactory.tuner.forms import Candidate, parts_of

Train = Callable[..., dict[str, Any]]
Scores = tuple[float, float]
"""Validation LogLoss and AUC."""
CANDIDATE = "candidate.json"
"""In the folder of a candidate: which one it is, and its scores."""
ANOTHER_SEED = 1000
"""Added to a recipe's seed when a candidate is trained once more."""
_LOGLOSS = itemgetter("logloss")


class Alone:
    """Trains candidates, each in a folder of its own, and once.

    Args:
        source: of the rows.
        project: folder of the search.
        final: recipes; each candidate is trained with all of them, and the best counts.
        train: trains a path, as `recfactory.training.train.train` does.
    """

    def __init__(
        self, source: Source, project: Folder, final: Sequence[Recipe], train: Train = train
    ) -> None:
        self.source, self.project, self.final, self._train = source, project, final, train

    def scores(self, candidate: Candidate, name: str) -> Scores:
        """Of a candidate trained alone; of a design with its bits, on the crossbars of its machine.

        Args:
            candidate: of the trial.
            name: of the trial, and of the folder.

        Raises:
            kt.errors.FailedTrialError: when it cannot be trained.
        """
        scores = self._trained(candidate, name, self.final)
        about = {**_described(candidate), "scores": scores}
        write_json(alone_folder(self.project, name) / CANDIDATE, about)
        return scores

    def again(self, candidate: Candidate, name: str) -> Scores:
        """Means of a candidate's first training and of one with another seed and the recipe that was best.

        Args:
            candidate: of the trial; trained alone before, in another trial.
            name: of the trial, and of the folder.
        """
        first, (logloss, auc) = self._first(candidate)
        recipe = Recipe.from_dict(read_json(best_alone(self.project, first) / RECIPE)["recipe"])
        other = replace(recipe, seed=recipe.seed + ANOTHER_SEED)
        other_logloss, other_auc = self._trained(candidate, name, [other])
        return (logloss + other_logloss) / 2, (auc + other_auc) / 2

    def _first(self, candidate: Candidate) -> tuple[str, Scores]:
        """The name of the trial in which a candidate was trained before, and its scores there."""
        described = _described(candidate)
        for file in sorted((self.project / ALONE).glob(f"*/{CANDIDATE}")):
            about = read_json(file)
            if described.items() <= about.items():
                return file.parent.name, about["scores"]
        raise kt.errors.FailedTrialError("it was not trained alone before")

    def _trained(self, candidate: Candidate, name: str, recipes: Sequence[Recipe]) -> Scores:
        path, precision = parts_of(candidate)
        folder = alone_folder(self.project, name)
        reached, failures = [], []
        with locked(folder):
            for place, recipe in enumerate(recipes):
                out = folder / str(place)
                try:
                    reached.append(self._train(self.source.features, path, out, recipe, log=ignore_line))
                except UserError as error:
                    failures.append(error)
        if not reached:
            raise kt.errors.FailedTrialError(str(failures[0])) from failures[0]
        if precision is not None:
            return self._with_few_bits(precision, name)
        best = min(reached, key=_LOGLOSS)
        return best["logloss"], best["auc"]

    def _with_few_bits(self, precision: Precision, name: str) -> Scores:
        best, out = best_alone(self.project, name), alone_folder(self.project, name) / FEW_BITS
        try:
            with locked(out):
                tuned = fine_tune_trained(best, precision, self.source, out, ignore_line)
        except UserError as error:
            raise kt.errors.FailedTrialError(str(error)) from error
        on_chip = quantised(tuned, precision, calibration(self.source))
        return measure(read_answers(self.source, "valid"), probabilities(on_chip, self.source, "valid"))


def alone_folder(project: Folder, name: str) -> Folder:
    """Where a candidate that was trained alone lies: a folder for each recipe, counted from 0."""
    return project / ALONE / str(int(name))


def best_alone(project: Folder, name: str) -> Folder:
    """The folder of the recipe that was best for a candidate."""
    folders = sorted(file.parent for file in alone_folder(project, name).glob(f"[0-9]*/{RESULT}"))
    return min(folders, key=lambda folder: _LOGLOSS(read_json(folder / RESULT)))


def model_folder(project: Folder, name: str, candidate: Candidate) -> Folder:
    """Where the model of a candidate that was trained alone lies; of a design the one with few bits."""
    _, precision = parts_of(candidate)
    return best_alone(project, name) if precision is None else alone_folder(project, name) / FEW_BITS


def alone_model(project: Folder, name: str, candidate: Candidate) -> Any:
    """The model of a candidate that was trained alone."""
    return registry.load(model_folder(project, name, candidate) / MODEL)


def _described(candidate: Candidate) -> dict[str, Any]:
    path, precision = parts_of(candidate)
    return {"path": path.to_dict(), "precision": precision_to_dict(precision) if precision else None}
