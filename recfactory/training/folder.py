"""Whose training a folder holds: told apart before anything is written over."""

from pathlib import Path
from typing import Any

from recfactory.claim import claim as mark
from recfactory.errors import UserError
from recfactory.files import read_json
from recfactory.training.recipe import Recipe

RECIPE = "recipe.json"
RESULT = "result.json"
MODEL = "model.keras"
PATH = "path.json"


def claim(out: Path, model: str, recipe: Recipe, digest: str) -> dict[str, Any] | None:
    """Marks `out` as the folder of this training.

    Args:
        out: the model's folder.
        model: name of the model; equal networks have equal names.
        recipe: its hyperparameters.
        digest: of the features.

    Returns:
        The result, if the training is finished.

    Raises:
        UserError: when the folder belongs to another training, or holds other files.
    """
    if not (out / RECIPE).is_file() and (out / "seed-0").is_dir():
        raise UserError(f"'{out}' holds trainings with several seeds; give another folder")
    ours = {"model": model, "features": digest, "recipe": recipe.to_dict()}
    mark(out, RECIPE, ours, "training")
    return read_json(out / RESULT) if (out / RESULT).is_file() else None
