"""Prunes searched architectures to half their macs, by learned masks and by magnitude."""

import shutil
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any, Literal

import numpy as np

from recfactory.benchmarks.rows import Job, Row, make_rows
from recfactory.benchmarks.search import settings_of
from recfactory.benchmarks.search_row import SPLITS, WINNER, judged, trained
from recfactory.benchmarks.winners import Winner, read_winners
from recfactory.models import registry
from recfactory.pruning.prune import prune
from recfactory.pruning.recipe import PruneRecipe
from recfactory.quiet import import_tensorflow_quietly
from recfactory.training.folder import MODEL
from recfactory.training.source import open_source
from recfactory.training.train import ignore_line

METHODS: tuple[Literal["learned", "magnitude"], ...] = ("learned", "magnitude")


def bench_pruning(
    dataset: str,
    features: Path | str,
    rows: Path | str,
    winners: Path | str,
    folder: Path | str,
    log: Callable[[str], None] = print,
    processes: int | None = None,
) -> dict[str, Any]:
    """Prunes what the search benchmark found.

    Args:
        dataset: one of `search.SETTINGS`.
        features: its features folder.
        rows: file that grows by a row of JSON for each architecture.
        winners: rows of the search benchmark on this data set.
        folder: to work in.
        log: takes a line per row.
        processes: at once; default: one per core.

    Returns:
        As `summarise`.

    Raises:
        UserError: for an unknown data set, or when no architecture was searched yet.
    """
    settings_of(dataset)
    found = read_winners(winners)
    jobs = [
        Job(
            "pruning",
            winner.seed,
            pruning_row,
            (Path(features), Path(folder) / f"pruning-{winner.seed}", winner),
        )
        for winner in found
    ]
    made = make_rows(rows, jobs, lambda row: log(f"{dataset}, seed {row['seed']}: pruned"), processes)
    return summarise(made)


def pruning_row(features: Path, folder: Path, winner: Winner) -> dict[str, Any]:
    """Trains an architecture and prunes it by each method.

    Args:
        features: a features folder.
        folder: to work in; what is in it is lost.
        winner: the architecture.

    Returns:
        `macs` and what `judged` says, for the `whole` model and for each method.
    """
    import_tensorflow_quietly()
    shutil.rmtree(folder, ignore_errors=True)
    source = open_source(features)
    whole = trained(features, winner.path, folder / WINNER, winner.recipe)
    row = {"whole": {name: whole[name] for name in ("macs", *SPLITS) if name in whole}}
    for method in METHODS:
        out = folder / method
        result = prune(folder / WINNER, features, out, PruneRecipe(method=method), ignore_line)
        row[method] = {"macs": result["macs"], **judged(registry.load(out / MODEL), source)}
    return row


def summarise(rows: Sequence[Row]) -> dict[str, Any]:
    """Means over seeds: for the whole models and each method `macs`, and by split LogLoss and its deviation.

    Args:
        rows: of a finished journal.
    """
    summary: dict[str, Any] = {"seeds": len(rows)}
    for name in ("whole", *METHODS):
        summary[name] = {"macs": float(np.mean([row[name]["macs"] for row in rows]))}
        for split in SPLITS:
            if split in rows[0][name]:
                losses = [row[name][split]["logloss"] for row in rows]
                summary[name][f"{split}_logloss_mean"] = float(np.mean(losses))
                summary[name][f"{split}_logloss_std"] = float(np.std(losses, ddof=1))
    return summary
