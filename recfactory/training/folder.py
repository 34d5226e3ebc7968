"""Whose training a folder holds: told apart before anything is written over."""

from collections.abc import Iterator
from contextlib import contextmanager
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


@contextmanager
def claim(out: Path, model: str, recipe: Recipe, digest: str) -> Iterator[dict[str, Any] | None]:
    """Marks `out` as the folder of this training, and keeps other processes out meanwhile.

    Args:
        out: the model's folder.
        model: name of the model; equal networks have equal names.
        recipe: its hyperparameters.
        digest: of the features.

    Yields:
        The result, if the training is finished.

    Raises:
        UserError: when the folder belongs to another training, or holds other files, or when
            another process is at work in it.
    """
    if not (out / RECIPE).is_file() and (out / "seed-0").is_dir():
        raise UserError(f"'{out}' holds trainings with several seeds; give another folder")
    ours = {"model": model, "features": digest, "recipe": recipe.to_dict()}
    with mark(out, RECIPE, ours, "training"):
        yield read_json(out / RESULT) if (out / RESULT).is_file() else None
