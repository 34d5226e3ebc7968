"""Prunes searched architectures to half their macs, by learned masks and by magnitude."""

from collections.abc import Sequence
from dataclasses import asdict, replace
from pathlib import Path
from typing import Any

import numpy as np
from scipy.stats import gmean

from recfactory.benchmarks.paired import deviation
from recfactory.benchmarks.rows import Job, Row
from recfactory.benchmarks.search import Settings
from recfactory.benchmarks.search_row import SPLITS, WINNER, judged, scores_of, trained
from recfactory.benchmarks.winners import Benchmark, Winner, train_winner
from recfactory.models import registry
from recfactory.pruning.prune import prune
from recfactory.pruning.recipe import PruneRecipe
from recfactory.training.folder import MODEL
from recfactory.training.train import ignore_line

METHODS = ("learned", "magnitude")
TRAININGS = 3
"""Of the whole model, to tell what another seed alone does."""


def pruning_row(features: Path, folder: Path, winner: Winner) -> dict[str, Any]:
    """Trains an architecture and prunes it by each method, to the same number of macs.

    Args:
        features: a features folder.
        folder: to work in, or to go on in.
        winner: the architecture.

    Returns:
        `macs` and what `judged` says, for the `whole` model and for each method; what it says of the whole
        model trained with other seeds, `others`.
    """
    source, whole = train_winner(features, folder, winner)
    others = [
        trained(
            features,
            winner.path,
            folder / f"other-{number}",
            replace(winner.recipe, seed=winner.recipe.seed + number),
        )
        for number in range(1, TRAININGS)
    ]
    row: dict[str, Any] = {
        "whole": {"macs": whole["macs"], **scores_of(whole)},
        "others": [scores_of(other) for other in others],
    }
    learned = PruneRecipe()
    result = prune(folder / WINNER, features, folder / "learned", learned, ignore_line)
    same = replace(learned, method="magnitude", ratio=1 - result["macs"] / whole["macs"])
    results = result, prune(folder / WINNER, features, folder / "magnitude", same, ignore_line)
    for method, left in zip(METHODS, results, strict=True):
        model = registry.load(folder / method / MODEL)
        row[method] = {"macs": left["macs"], **judged(model, source)}
    return row


def summarise(rows: Sequence[Row]) -> dict[str, Any]:
    """Means over seeds.

    Args:
        rows: of a finished journal.

    Returns:
        By split `noise`, the deviation of LogLoss from one training of the same model to another, and for the
        whole models and each method its mean; for the methods also how much more it is than the whole
        models', mean and deviation over seeds, and `macs_gain`.
    """
    summary: dict[str, Any] = {"seeds": len(rows)}
    for split in SPLITS:
        if split not in rows[0]["whole"]:
            continue
        trainings = [[each[split]["logloss"] for each in (row["whole"], *row["others"])] for row in rows]
        found: dict[str, Any] = {"noise": float(np.sqrt(np.mean(np.var(trainings, axis=1, ddof=1))))}
        whole = np.mean(trainings, axis=1)
        found["whole"] = {"logloss": float(np.mean(whole))}
        for method in METHODS:
            losses = np.array([row[method][split]["logloss"] for row in rows])
            found[method] = {
                "logloss": float(np.mean(losses)),
                "more": float(np.mean(losses - whole)),
                "more_std": deviation(losses - whole),
            }
        summary[split] = found
    for method in METHODS:
        gains = [row["whole"]["macs"] / row[method]["macs"] for row in rows]
        summary[f"macs_gain_{method}"] = float(gmean(gains))
    return summary


def _jobs(features: Path, folder: Path, settings: Settings, winner: Winner) -> list[Job]:
    return [winner.job("pruning", pruning_row, features, folder, settings=asdict(PruneRecipe()))]


PRUNING = Benchmark(_jobs, summarise)
"""By learned masks and by magnitude."""
