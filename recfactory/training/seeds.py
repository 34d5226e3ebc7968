"""The same training with several seeds, and how far they spread."""

import statistics
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
    for name in ("auc", "logloss", "seconds", "examples_per_second"):
        values = [result[name] for result in results]
        summary[f"{name}_mean"] = statistics.fmean(values)
        summary[f"{name}_std"] = statistics.stdev(values) if seeds > 1 else 0.0
    write_json(out / SUMMARY, summary)
    return summary
