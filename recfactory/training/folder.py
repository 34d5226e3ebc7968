"""Whose training a folder holds: told apart before anything is written over."""

from pathlib import Path
from typing import Any

from recfactory.errors import UserError
from recfactory.files import read_json, remove_partial, write_json
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
    ours = {"model": model, "features": digest, "recipe": recipe.to_dict()}
    if (out / RECIPE).is_file():
        _check_same(out, read_json(out / RECIPE), ours)
        remove_partial(out)
    elif out.exists() and (not out.is_dir() or any(out.iterdir())):
        held = "trainings with several seeds" if (out / "seed-0").is_dir() else "no training"
        raise UserError(f"'{out}' exists and holds {held}; give another --out")
    else:
        write_json(out / RECIPE, ours)
    return read_json(out / RESULT) if (out / RESULT).is_file() else None


def _check_same(out: Path, theirs: dict[str, Any], ours: dict[str, Any]) -> None:
    if theirs == ours:
        return
    was, now = ({"model": v.get("model"), **v.get("recipe", {})} for v in (theirs, ours))
    changed = [f"{name} {was.get(name)}, not {now[name]}" for name in now if was.get(name) != now[name]]
    what = "; ".join(changed) or "other features"
    raise UserError(f"'{out}' holds another training ({what}); give another --out or delete it")
