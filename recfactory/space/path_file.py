"""Files that hold a path, such as the best.json of a search: its space, its blocks and how it scored."""

import hashlib
import json
from collections.abc import Mapping
from pathlib import Path as File
from typing import Any

from recfactory.errors import UserError
from recfactory.features.layout import Layout
from recfactory.files import write_json
from recfactory.space.path import Path

ENDING = ".json"
"""Tells the name of a path file from that of a hand-made model."""
CODESIGN = ("precision", "machine")
ABOUT = ("scores", "recipe", *CODESIGN)
"""What a file may hold beside the path."""


def write_path(file: File | str, path: Path, **about: Mapping[str, Any]) -> None:
    """Writes a path, whole or not at all.

    Args:
        file: becomes JSON: `space`, `blocks` and what is given besides.
        path: the architecture.
        **about: `scores` that it reached, for readers; the `recipe` that it was trained with; of a co-design
            its `precision` and `machine` (`recfactory/codesign/design_file.py`). JSON values.
    """
    write_json(file, {**path.to_dict(), **about})


def read_path(file: File | str) -> Path:
    """The path of a file that `write_path` wrote.

    Raises:
        UserError: when there is no such file, or it holds no path.
    """
    values = _read(file)
    if isinstance(values, dict):
        values = {name: value for name, value in values.items() if name not in ABOUT}
    try:
        return Path.from_dict(values)
    except UserError as error:
        raise UserError(f"'{file}' is no path file: {error}") from error


def read_codesign(file: File | str) -> dict[str, Any]:
    """What a co-design's file holds beside the path: `precision` and `machine`; of others nothing.

    Raises:
        UserError: when there is no such file.
    """
    values = _read(file)
    return {name: values[name] for name in CODESIGN if name in values} if isinstance(values, dict) else {}


def read_recipe(file: File | str) -> dict[str, Any]:
    """Entries of the recipe that the path of a file was trained with; none where it holds no recipe.

    Raises:
        UserError: when there is no such file, or the recipe is none.
    """
    values = _read(file)
    recipe = values.get("recipe", {}) if isinstance(values, dict) else {}
    if not isinstance(recipe, dict):
        raise UserError(f"'{file}': its recipe must be settings by name, not {recipe!r}")
    return recipe


def _read(file: File | str) -> Any:
    try:
        return json.loads(File(file).read_text(encoding="utf-8"))
    except FileNotFoundError:
        raise UserError(
            f"there is no path file '{file}'; `recfactory search` writes one, best.json"
        ) from None
    except OSError as error:
        raise UserError(f"cannot read the path file '{file}': {error.strerror}") from error
    except ValueError as error:
        raise UserError(f"'{file}' is no path file: it is not JSON ({error})") from error


def check_columns(path: Path, layout: Layout, features: File | str) -> None:
    """Refuses a path for data with other columns.

    Args:
        path: the architecture.
        layout: of the features.
        features: their folder.

    Raises:
        UserError: when the numbers of columns differ.
    """
    wanted = (path.space.numbers, path.space.fields)
    found = (len(layout.dense), len(layout.fields))
    if wanted != found:
        raise UserError(
            f"the path is of another space: it reads {wanted[0]} dense and {wanted[1]} categorical columns, "
            f"'{features}' has {found[0]} and {found[1]}; take a path that was searched on these features"
        )


def path_name(path: Path) -> str:
    """A short name of the network that a path describes: equal networks of a space have equal names."""
    content = json.dumps([path.space.to_dict(), path.genes], sort_keys=True)
    return f"path-{hashlib.sha256(content.encode()).hexdigest()[:12]}"
