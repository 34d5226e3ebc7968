"""The same training with several seeds, and how far they spread."""

import statistics
from collections.abc import Mapping, Sequence
from dataclasses import replace
from pathlib import Path as File
from typing import Any

from recfactory.errors import UsageError, UserError
from recfactory.files import write_json
from recfactory.models import registry
from recfactory.space.path import Path
from recfactory.training.folder import RECIPE
from recfactory.training.loop import Log
from recfactory.training.recipe import Recipe
from recfactory.training.train import model_name, print_line, train

SUMMARY = "summary.json"
SCORES = ("auc", "logloss")


def spread(results: Sequence[Mapping[str, Any]], names: Sequence[str]) -> dict[str, float]:
    """Means and sample deviations over seeds.

    Args:
        results: of the trainings.
        names: of numbers in them.

    Returns:
        `NAME_mean` and `NAME_std` for each.
    """
    found = {}
    for name in names:
        values = [result[name] for result in results]
        found[f"{name}_mean"] = statistics.fmean(values)
        found[f"{name}_std"] = statistics.stdev(values) if len(values) > 1 else 0.0
    return found


def train_seeds(
    features: File | str,
    model: str | Path,
    out: File | str,
    recipe: Recipe | None = None,
    seeds: int = 5,
    log: Log = print_line,
) -> dict[str, Any]:
    """Trains a model `seeds` times; resumable like `train`.

    Args:
        features: a features folder.
        model: as of `train`.
        out: becomes seed-0/, seed-1/, ... as `train` fills them, and summary.json.
        recipe: hyperparameters; seed-K is trained with its seed + K.
        seeds: how many.
        log: takes the lines that say how it goes.

    Returns:
        The content of summary.json: mean and sample deviation of `auc` and `logloss` on valid.

    Raises:
        UserError: as `train`.
    """
    if seeds < 1:
        raise UsageError(f"--seeds must be 1 or more, not {seeds}")
    named = model_name(registry.find(model))
    recipe, out = recipe or Recipe(), File(out)
    if (out / RECIPE).is_file():
        raise UserError(f"'{out}' holds a single training; give another --out for {seeds} seeds")
    results = []
    for index in range(seeds):
        log(f"seed {index + 1} of {seeds}")
        seeded = replace(recipe, seed=recipe.seed + index)
        results.append(train(features, model, out / f"seed-{index}", seeded, log))
    summary: dict[str, Any] = {
        "model": named,
        "seeds": seeds,
        "split": "valid",
        "results": results,
    }
    summary |= spread(results, (*SCORES, "seconds", "examples_per_second"))
    write_json(out / SUMMARY, summary)
    return summary
