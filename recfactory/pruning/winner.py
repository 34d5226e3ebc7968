"""The model folder that is pruned."""

from pathlib import Path as File
from typing import Any

from recfactory.errors import UserError
from recfactory.files import read_json
from recfactory.space.path import Path
from recfactory.space.path_file import read_codesign, read_path
from recfactory.training.folder import PATH, RECIPE, RESULT

BEFORE = ("macs", "tower_params", "logloss", "auc", "weights_sha256")
"""What a result tells of the model that was pruned."""


def read_winner(model: File) -> tuple[Path, dict[str, Any]]:
    """The path of a model folder.

    Args:
        model: the folder of a finished training of a path.

    Returns:
        The path, and what its recipe.json says: `model`, `features` and `recipe`; with its `result`, and
        whether a co-design gave it `few_bits`.

    Raises:
        UserError: when the folder holds no such training, or a damaged one.
    """
    if (model / "seed-0").is_dir():
        raise UserError(
            f"'{model}' holds trainings with several seeds; name one, such as '{model / 'seed-0'}'"
        )
    if not (model / RESULT).is_file() or not (model / RECIPE).is_file():
        raise UserError(f"'{model}' holds no finished training; train a path with `recfactory train` first")
    about = _read(model / RECIPE, ("model", "features", "recipe"))
    if "bits" in about:
        began = model.parent if (model.parent / RECIPE).is_file() else model.parent / "0"
        raise UserError(
            f"'{model}' was trained on with few bits; name the training that it began with, such as '{began}'"
        )
    if not (model / PATH).is_file():
        raise UserError(
            f"'{model}' holds a {about['model']}, and only paths are pruned; train the best.json of a search"
        )
    about |= {"result": _read(model / RESULT, BEFORE), "few_bits": bool(read_codesign(model / PATH))}
    return read_path(model / PATH), about


def _read(file: File, names: tuple[str, ...]) -> dict[str, Any]:
    """A file with some entries at least."""
    try:
        values = read_json(file)
    except ValueError:
        values = None
    if not isinstance(values, dict) or not values.keys() >= set(names):
        raise UserError(
            f"'{file}' is damaged: it should be JSON with {', '.join(names)}; train the path again, in "
            "another folder"
        )
    return values
