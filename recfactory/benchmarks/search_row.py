"""One row of the search benchmark: a search, or the training of a hand-made model."""

import shutil
import time
from collections.abc import Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np

from recfactory.features import packed
from recfactory.features.spec import read_spec
from recfactory.files import read_json, write_json
from recfactory.locked import locked
from recfactory.metrics import regret, row_losses
from recfactory.models import registry
from recfactory.models.macs import count_macs
from recfactory.models.ranker import Ranker
from recfactory.quiet import import_tensorflow_quietly
from recfactory.space.path_file import read_path
from recfactory.training.folder import MODEL
from recfactory.training.recipe import EMBEDDING_L2, FRESH, Recipe
from recfactory.training.score import measure, probabilities, read_answers
from recfactory.training.source import SCORE_BATCH, Source, open_source
from recfactory.training.train import ignore_line, train

REFERENCE = "dcnv2"
"""No path with more macs than this model's is searched."""
LOSSES, WINNER, CHOICE = "losses.npz", "winner", "choice.json"
SPLITS = ("valid", "test")
RECIPES = (
    Recipe(),
    Recipe(embedding_l2=EMBEDDING_L2),
    Recipe(embedding_l2=EMBEDDING_L2, batch_norm=False, dropout=0.0),
)
"""That a hand-made model is trained with, of which it gets the best."""


def search_row(features: Path, folder: Path, settings: dict[str, Any], minutes: float) -> dict[str, Any]:
    """Searches, trains the winner once more and measures it.

    Args:
        features: a features folder.
        folder: to work in; what is in it is lost.
        settings: of the search, as of `SearchRecipe`.
        minutes: its budget of processor time.

    Returns:
        What `trained` says of the winner, the search's `cpu_minutes` and the winner's `path`.
    """
    import_tensorflow_quietly()
    from recfactory.tuner.job import search

    shutil.rmtree(folder, ignore_errors=True)
    found = search(features, folder / "search", settings, minutes, ignore_line)
    cpu_minutes = time.process_time() / 60
    path = read_path(found["best"])
    recipe = Recipe.from_dict({**found["recipe"], "seed": settings["seed"] + FRESH})
    row = trained(features, path, folder / WINNER, recipe)
    return {**row, "cpu_minutes": cpu_minutes, "trials": found["trials"], "path": path.to_json()}


def handmade_row(
    features: Path, folder: Path, model: str, seed: int, tried: Path, first: int
) -> dict[str, Any]:
    """Trains a hand-made model by its best recipe and measures it.

    `RECIPES` are tried once for all seeds.

    Args:
        features: a features folder.
        folder: to work in; what is in it is lost.
        model: one of `registry.MODELS`.
        seed: the training that is measured has a fresh one made from it.
        tried: folder of the trainings that choose the recipe.
        first: their seed.
    """
    import_tensorflow_quietly()

    shutil.rmtree(folder, ignore_errors=True)
    with locked(tried):
        if not (tried / CHOICE).is_file():
            best = _best_recipe(features, model, tried, first).to_dict()
            write_json(tried / CHOICE, {"recipe": best, "cpu_minutes": time.process_time() / 60})
    choice, before = read_json(tried / CHOICE), time.process_time()
    recipe = Recipe.from_dict({**choice["recipe"], "seed": seed + FRESH})
    row = trained(features, model, folder / WINNER, recipe)
    return {**row, "cpu_minutes": choice["cpu_minutes"] + (time.process_time() - before) / 60}


def _best_recipe(features: Path, model: str, tried: Path, seed: int) -> Recipe:
    recipes = [replace(recipe, seed=seed) for recipe in RECIPES]
    reached = [
        train(features, model, tried / str(place), recipe, ignore_line)["logloss"]
        for place, recipe in enumerate(recipes)
    ]
    return recipes[reached.index(min(reached))]


def trained(features: Path, model: Any, folder: Path, recipe: Recipe) -> dict[str, Any]:
    """Trains a model and measures it.

    Args:
        features: a features folder.
        model: as of `train`.
        folder: becomes the model's, with what `judged` leaves.
        recipe: of the training.

    Returns:
        `macs`, `params` and the `recipe`, and what `judged` says.
    """
    result = train(features, model, folder, recipe, ignore_line)
    row = {"macs": result["macs"], "params": result["tower_params"], "recipe": recipe.to_dict()}
    return {**row, **judged(registry.load(folder / MODEL), open_source(features), folder)}


def judged(
    ranker: Ranker, source: Source, folder: Path | None = None, splits: Sequence[str] = SPLITS
) -> dict[str, dict[str, float]]:
    """LogLoss, AUC and, where the truth is known, regret of a model on validation and test rows.

    Args:
        ranker: trained.
        source: of the rows.
        folder: takes the LogLoss of each row; None leaves it out.
        splits: on which, where it has rows.
    """
    scores: dict[str, dict[str, float]] = {}
    losses: dict[str, Any] = {}
    for split in splits:
        if not source.rows.get(split):
            continue
        answers, predicted = read_answers(source, split), probabilities(ranker, source, split)
        logloss, auc = measure(answers, predicted)
        scores[split] = {"logloss": logloss, "auc": auc}
        truth = _truth(source, split)
        if truth is not None:
            scores[split]["regret"] = regret(truth, predicted, answers.weight)
        losses[split] = row_losses(answers.label.astype(float), predicted.astype(float)).astype(np.float32)
    if folder is not None:
        np.savez(folder / LOSSES, **losses)
    return scores


def last_split(found: Mapping[str, Any]) -> str:
    """Test where there are test rows.

    Args:
        found: something by split, none or empty for a split without rows.
    """
    return [name for name in SPLITS if found.get(name)][-1]


def most_macs(source: Source) -> int:
    """What paths may have at most: the macs of `REFERENCE` on these features."""
    return count_macs(registry.build(REFERENCE, source.layout))


def scores_of(row: Mapping[str, Any]) -> dict[str, Any]:
    """What `judged` said, of a row that says more."""
    return {split: row[split] for split in SPLITS if split in row}


def _truth(source: Source, split: str) -> Any:
    """The known click probabilities of a split, or None."""
    if read_spec(source.features).schema.truth is None:
        return None
    data = packed.dataset(source.features, split, source.layout, SCORE_BATCH, truth=True)
    return np.concatenate([truth.numpy() for *_, truth in data])
