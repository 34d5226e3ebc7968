"""Benchmarks that start from what the search benchmark found."""

import json
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path as File
from typing import Any

from recfactory.benchmarks.rows import Job, Row, made_with, make_rows
from recfactory.benchmarks.search import SEARCHES, Settings, settings_of
from recfactory.benchmarks.search_row import WINNER, trained
from recfactory.errors import UserError
from recfactory.quiet import import_tensorflow_quietly
from recfactory.space.path import Path
from recfactory.space.path_file import path_name
from recfactory.training.recipe import Recipe
from recfactory.training.source import Source, open_source


@dataclass(frozen=True)
class Winner:
    """A searched architecture.

    Args:
        seed: of its search.
        path: the architecture.
        recipe: it was trained with, seed and all.
    """

    seed: int
    path: Path
    recipe: Recipe

    def job(
        self, method: str, make: Callable[..., Row], features: File, folder: File, *more: Any, settings: Any
    ) -> Job:
        """A job that starts from it.

        Args:
            method: of the row.
            make: makes it, of `(features, folder, winner, *more)`.
            features: a features folder.
            folder: of the benchmark; the job works in one of its own there, which no other settings share.
            *more: arguments of `make`.
            settings: that make rows what they are, JSON values.
        """
        about = {"architecture": path_name(self.path), **made_with(self.recipe.to_dict(), settings)}
        place = folder / f"{method}-{self.seed}-{about['made_with']}"
        return Job(method, self.seed, make, (features, place, self, *more), about)


@dataclass(frozen=True)
class Benchmark:
    """What is measured on searched architectures.

    Args:
        jobs: those of a winner, of `(features, folder, settings, winner)`.
        summarise: makes the figures of all rows.
    """

    jobs: Callable[[File, File, Settings, Winner], list[Job]]
    summarise: Callable[[Sequence[Row]], dict[str, Any]]

    def run(
        self,
        dataset: str,
        features: File | str,
        rows: File | str,
        winners: File | str,
        folder: File | str,
        log: Callable[[str], None] = print,
        processes: int | None = None,
    ) -> dict[str, Any]:
        """Makes the rows that are not there yet, and their summary.

        Args:
            dataset: one of `search.SETTINGS`.
            features: its features folder.
            rows: file that grows by a row of JSON for each job.
            winners: rows of the search benchmark on this data set.
            folder: to work in.
            log: takes a line per row.
            processes: at once; default: one per core.

        Raises:
            UserError: for an unknown data set, or when no architecture was searched yet.
        """
        settings, features, folder = settings_of(dataset), File(features), File(folder)
        found = read_winners(winners)
        jobs = [job for winner in found for job in self.jobs(features, folder, settings, winner)]

        def say(row: Row) -> None:
            log(f"{dataset}, {row['method']}, seed {row['seed']}: done")

        return self.summarise(make_rows(rows, jobs, say, processes))


def read_winners(rows: File | str) -> list[Winner]:
    """The architectures that two-shot search found, by seed.

    Args:
        rows: of the search benchmark.

    Raises:
        UserError: when there are none.
    """
    file = File(rows)
    found = [json.loads(line) for line in file.read_text().splitlines()] if file.is_file() else []
    winners = [_winner(row) for row in found if row["method"] == SEARCHES[0]]
    if not winners:
        raise UserError(f"'{rows}' has no architectures; run 'recfactory bench search' first")
    return sorted(winners, key=lambda winner: winner.seed)


def _winner(row: dict[str, Any]) -> Winner:
    return Winner(row["seed"], Path.from_json(row["path"]), Recipe.from_dict(row["recipe"]))


def train_winner(features: File, folder: File, winner: Winner) -> tuple[Source, Row]:
    """Begins a row, or goes on with one: trains an architecture as it was trained before.

    Args:
        features: a features folder.
        folder: to work in; the model's becomes `WINNER` in it.
        winner: the architecture.

    Returns:
        The rows it was trained on, and what `trained` says.
    """
    import_tensorflow_quietly()
    return open_source(features), trained(features, winner.path, folder / WINNER, winner.recipe)
