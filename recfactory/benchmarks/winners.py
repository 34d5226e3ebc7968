"""What the search benchmark found, for those that start from it."""

import json
from dataclasses import dataclass
from pathlib import Path as File
from typing import Any

from recfactory.errors import UserError
from recfactory.space.path import Path
from recfactory.training.recipe import Recipe

METHOD = "fgps"


@dataclass(frozen=True)
class Winner:
    """A searched architecture.

    Args:
        seed: of its search.
        path: the architecture.
        recipe: it was trained with, seed and all.
        row: of the search benchmark, with what it reached.
    """

    seed: int
    path: Path
    recipe: Recipe
    row: dict[str, Any]


def read_winners(rows: File | str) -> list[Winner]:
    """The architectures that two-shot search found, by seed.

    Args:
        rows: of the search benchmark.

    Raises:
        UserError: when there are none.
    """
    file = File(rows)
    found = [json.loads(line) for line in file.read_text().splitlines()] if file.is_file() else []
    winners = [_winner(row) for row in found if row["method"] == METHOD]
    if not winners:
        raise UserError(f"'{rows}' has no architectures; run 'recfactory bench search' first")
    return sorted(winners, key=lambda winner: winner.seed)


def _winner(row: dict[str, Any]) -> Winner:
    return Winner(row["seed"], Path.from_json(row["path"]), Recipe.from_dict(row["recipe"]), row)
