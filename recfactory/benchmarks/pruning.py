"""Prunes searched architectures to half their macs, by learned masks and by magnitude."""

import shutil
from collections.abc import Sequence
from pathlib import Path
from typing import Any, Literal

import numpy as np

from recfactory.benchmarks.rows import Job, Row
from recfactory.benchmarks.search import Settings
from recfactory.benchmarks.search_row import SPLITS, WINNER, judged
from recfactory.benchmarks.winners import Benchmark, Winner, train_winner
from recfactory.models import registry
from recfactory.pruning.prune import prune
from recfactory.pruning.recipe import PruneRecipe
from recfactory.training.folder import MODEL
from recfactory.training.train import ignore_line

METHODS: tuple[Literal["learned", "magnitude"], ...] = ("learned", "magnitude")


def pruning_row(features: Path, folder: Path, winner: Winner) -> dict[str, Any]:
    """Trains an architecture and prunes it by each method.

    Args:
        features: a features folder.
        folder: to work in; what is in it is lost.
        winner: the architecture.

    Returns:
        `macs` and what `judged` says, for the `whole` model and for each method.
    """
    shutil.rmtree(folder, ignore_errors=True)
    source, whole = train_winner(features, folder, winner)
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


def _jobs(features: Path, folder: Path, settings: Settings, winner: Winner) -> list[Job]:
    place = folder / f"pruning-{winner.seed}"
    return [Job("pruning", winner.seed, pruning_row, (features, place, winner))]


PRUNING = Benchmark(_jobs, summarise)
"""By learned masks and by magnitude."""
