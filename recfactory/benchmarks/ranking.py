"""Measures how well scores of a supernet rank architectures, against training each from scratch."""

import tempfile
from collections.abc import Callable, Iterator
from contextlib import nullcontext
from dataclasses import asdict, dataclass, replace
from itertools import combinations
from operator import itemgetter
from pathlib import Path as File
from typing import Any

import numpy as np
from scipy.stats import kendalltau, pearsonr

from recfactory.benchmarks.nasrec.masked import masked_normalisation
from recfactory.errors import UserError
from recfactory.journal import Journal
from recfactory.space.genes import Rows, decode
from recfactory.space.path import Path
from recfactory.space.sampling import sample_binomial
from recfactory.space.space import Space, make_space
from recfactory.supernet.samplers import ChosenPaths
from recfactory.supernet.score import Scorer, Scoring
from recfactory.supernet.shot import ShotRecipe, train_shot
from recfactory.training.source import Source, open_source

MASKED = "masked normalisation"
DIMS: dict[str, Any] = {"dense_dims": (16, 32, 64, 128, 256), "sparse_dims": (16, 32)}
"""Of NASRec-Full with its seven blocks, widths that two cores can train a hundred times."""
DESIGNS: dict[str, dict[str, Any]] = {"plain": {}, "warm-up": {"full_share": 0.2}, MASKED: {}}


@dataclass(frozen=True)
class Settings:
    """What is compared.

    Args:
        alone: how a path is trained from scratch.
        shot: how a supernet is trained.
        space: what differs from NASRec-Full.
        designs: by name, how a supernet is trained instead; each takes about as many passes through paths.
        paths: compared.
        seeds: of the supernets.
        alone_seeds: of the trainings from scratch.
        path_seed: of the draw of paths.
    """

    alone: ShotRecipe
    shot: ShotRecipe
    space: dict[str, Any]
    designs: dict[str, dict[str, Any]]
    paths: int = 40
    seeds: tuple[int, ...] = (1, 2)
    alone_seeds: tuple[int, ...] = (1, 2)
    path_seed: int = 7


_FRAPPE = ShotRecipe(4, 2048, "adam", 0.004, embedding_l2=0.05)
_KDD12 = ShotRecipe(2, 512, "adam", 0.001, embedding_l2=0.05)
SETTINGS = {
    # Attention would take two thirds of the time.
    "frappe": Settings(
        _FRAPPE,
        ShotRecipe(12, 512, "adam", 0.001, embedding_l2=0.0125),  # smaller batches: more steps
        {**DIMS, "sparse_operators": ("efc",)},
        {**DESIGNS, "sandwich": {"sandwich": True, "epochs": 4}},
    ),
    "kdd12": Settings(
        _KDD12, replace(_KDD12, epochs=6), DIMS, {**DESIGNS, "sandwich": {"sandwich": True, "epochs": 2}}
    ),
}
"""By data set."""


def bench_ranking(
    dataset: str, features: File | str, rows: File | str, log: Callable[[str], None] = print
) -> dict[str, Any]:
    """Ranks random paths by training each from scratch and by scores of supernets; hours of work, resumable.

    Args:
        dataset: one of `SETTINGS`.
        features: its features folder.
        rows: file that grows by a row of JSON for each training; those that are there are not done again.
        log: takes a line per row.

    Returns:
        `paths`, `seeds`, and for the best design `kendall`, `pearson` and `kendall_better_half`, means over
        seeds; `designs` has them for each design with and without refit.

    Raises:
        UserError: for an unknown data set.
    """
    if dataset not in SETTINGS:
        raise UserError(f"no settings for '{dataset}'; there are {', '.join(SETTINGS)}")
    settings, source = SETTINGS[dataset], open_source(features)
    space = make_space(source.layout, "full", **settings.space)
    genes = sample_binomial(space, settings.paths, np.random.default_rng(settings.path_seed))
    with Journal(rows) as journal:
        for row in _alone(journal, space, source, settings, genes):
            log(f"{dataset}, from scratch: path {row['path']}, seed {row['seed']}: {row['logloss']:.4f}")
        for row in _shots(journal, space, source, settings, genes):
            log(f"{dataset}, supernet {row['design']}, seed {row['seed']}: scored")
        return summarise(journal.records, settings)


def _has(journal: Journal, **key: Any) -> bool:
    """Whether there is a record with these entries."""
    return any(all(record.get(name) == value for name, value in key.items()) for record in journal.records)


def _alone(
    journal: Journal, space: Space, source: Source, settings: Settings, genes: Rows
) -> Iterator[dict[str, Any]]:
    for index, path in enumerate(decode(space, genes)):
        for seed in settings.alone_seeds:
            key = {"kind": "alone", "path": index, "seed": seed}
            if not _has(journal, **key):
                logloss, auc = train_alone(path, genes[index].tolist(), source, settings.alone, seed)
                yield journal.append({**key, "logloss": logloss, "auc": auc, "macs": path.macs})


def train_alone(
    path: Path, row: list[int], source: Source, recipe: ShotRecipe, seed: int
) -> tuple[float, float]:
    """Trains a path from scratch: a shot on nothing else.

    Returns:
        Validation LogLoss and AUC.
    """
    with tempfile.TemporaryDirectory() as scratch:
        recipe = replace(recipe, seed=seed)
        only = ChosenPaths(seed, [row])
        supernet = train_shot(path.space, source, recipe, File(scratch), only, np.inf)
    return Scorer(supernet, source, Scoring(refit_rows=0, valid_rows=None)).score(path)


def _shots(
    journal: Journal, space: Space, source: Source, settings: Settings, genes: Rows
) -> Iterator[dict[str, Any]]:
    paths = decode(space, genes)
    for seed in settings.seeds:
        for design, changes in settings.designs.items():
            key = {"kind": "shot", "design": design, "seed": seed}
            if not _has(journal, **key):
                recipe = replace(settings.shot, seed=seed, **changes)
                with masked_normalisation(space) if design == MASKED else nullcontext():
                    scores = _scores(space, source, recipe, paths)
                yield journal.append({**key, **scores})


def _scores(space: Space, source: Source, recipe: ShotRecipe, paths: list[Path]) -> dict[str, list[float]]:
    """Of a supernet trained for it, with the shared last layer and with one fitted anew."""
    with tempfile.TemporaryDirectory() as scratch:
        supernet = train_shot(space, source, recipe, scratch, None, np.inf)
    scorers = {
        "shared": Scorer(supernet, source, Scoring(refit_rows=0)),
        "refit": Scorer(supernet, source),
    }
    return {name: [scorer.score(path).logloss for path in paths] for name, scorer in scorers.items()}


def summarise(rows: list[dict[str, Any]], settings: Settings) -> dict[str, Any]:
    """Rank correlations of supernet scores with the LogLoss from scratch, its mean over seeds.

    Args:
        rows: of a finished journal.
        settings: that they were made with.

    Returns:
        As `bench_ranking`.
    """
    alone = [row for row in rows if row["kind"] == "alone"]
    by_seed = np.array(
        [
            [row["logloss"] for row in sorted(alone, key=itemgetter("path")) if row["seed"] == seed]
            for seed in settings.alone_seeds
        ]
    )
    truth = by_seed.mean(0)
    designs: dict[str, Any] = {}
    for design in settings.designs:
        for layer in ("shared", "refit"):
            found = [
                correlations(np.array(row[layer]), truth)
                for row in rows
                if row["kind"] == "shot" and row["design"] == design
            ]
            designs[f"{design}, {layer} last layer"] = _mean(found)
    best = max(designs, key=lambda name: designs[name]["kendall"])
    return {
        "paths": settings.paths,
        "seeds": len(settings.seeds),
        **designs[best],
        "design": best,
        "designs": designs,
        "between_seeds_from_scratch": _mean([correlations(*pair) for pair in combinations(by_seed, 2)]),
        "settings": asdict(settings),
    }


def _mean(found: list[dict[str, float]]) -> dict[str, float]:
    return {name: float(np.mean([one[name] for one in found])) for name in found[0]}


def correlations(scores: Any, truth: Any) -> dict[str, float]:
    """Kendall's tau and Pearson's r over all paths, and tau over the better half by truth."""
    half = np.argsort(truth)[: len(truth) // 2]
    return {
        "kendall": float(kendalltau(scores, truth).statistic),
        "pearson": float(pearsonr(scores, truth).statistic),
        "kendall_better_half": float(kendalltau(scores[half], truth[half]).statistic),
    }
