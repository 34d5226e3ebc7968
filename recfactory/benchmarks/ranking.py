"""Measures how well scores of a supernet rank architectures, against training each from scratch."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from itertools import combinations
from pathlib import Path as File
from typing import Any

import numpy as np
import numpy.typing as npt
from scipy.stats import kendalltau, pearsonr

from recfactory.benchmarks.ranking_row import MASKED, alone_row, shot_row
from recfactory.benchmarks.rows import Job, Row, make_rows
from recfactory.benchmarks.search import settings_of
from recfactory.features.layout import Layout
from recfactory.space.genes import decode
from recfactory.space.path import Path
from recfactory.space.path_file import path_name
from recfactory.space.sampling import sample_uniform
from recfactory.space.space import make_space
from recfactory.supernet.shot import ShotRecipe
from recfactory.training.recipe import Recipe
from recfactory.training.source import open_source
from recfactory.tuner.search_recipe import SearchRecipe

Floats = npt.NDArray[np.floating[Any]]
LAYERS = ("shared", "refit")
"""Which last layer a path is scored with."""
PLAIN = "as searches do"


@dataclass(frozen=True)
class Settings:
    """What is compared.

    Args:
        final: how a path is trained from scratch: as the finalists of a search.
        shot: how a supernet is trained.
        designs: by name, how it is trained instead.
        paths: random ones, of the space that is searched.
        seeds: of the trainings from scratch, and of the supernets.
        path_seed: of the draw of paths.
    """

    final: Recipe = SearchRecipe().final[0]
    shot: ShotRecipe = field(default_factory=lambda: replace(SearchRecipe().shot, epochs=10))
    designs: Mapping[str, Mapping[str, Any]] = field(
        default_factory=lambda: {
            PLAIN: {},
            "weaker decay of embeddings": {"embedding_l2": 0.05},
            "full supernet at first": {"full_share": 0.2},
            "sandwich rule": {"sandwich": True, "epochs": 4},  # a step trains three paths
            MASKED: {},
        }
    )
    paths: int = 20
    seeds: tuple[int, ...] = (1, 2)
    path_seed: int = 7


def bench_ranking(
    dataset: str,
    features: File | str,
    rows: File | str,
    log: Callable[[str], None] = print,
    processes: int | None = None,
    settings: Settings | None = None,
) -> dict[str, Any]:
    """Ranks random paths by training each from scratch and by scores of supernets; hours of work, resumable.

    Args:
        dataset: as of `bench_search`, whose space is searched.
        features: its features folder.
        rows: file that grows by a row of JSON for each training.
        log: takes a line per row.
        processes: at once; default: one per core.
        settings: what is compared.

    Returns:
        What `summarise` says.

    Raises:
        UserError: for an unknown data set.
    """
    searched, settings, features = settings_of(dataset).search, settings or Settings(), File(features)
    paths = _paths(open_source(features).layout, searched, settings)
    jobs = _jobs(features, paths, settings)
    made = make_rows(
        rows, jobs, lambda row: log(f"{dataset}, {row['method']}, seed {row['seed']}: done"), processes
    )
    return summarise(made, settings)


def _paths(layout: Layout, searched: Mapping[str, Any], settings: Settings) -> list[Path]:
    space = make_space(layout, searched["space"], **searched["sizes"])
    return decode(space, sample_uniform(space, settings.paths, np.random.default_rng(settings.path_seed)))


def _jobs(features: File, paths: Sequence[Path], settings: Settings) -> list[Job]:
    alone = [
        Job(
            _alone(number),
            seed,
            alone_row,
            (features, path, replace(settings.final, seed=seed)),
            {"path": path_name(path), "recipe": settings.final.to_dict()},
        )
        for seed in settings.seeds
        for number, path in enumerate(paths)
    ]
    shots = []
    for seed in settings.seeds:
        for design, changes in settings.designs.items():
            recipe = replace(settings.shot, seed=seed, **changes)
            about = {"recipe": recipe.to_dict(), "paths": [path_name(path) for path in paths]}
            shots.append(Job(design, seed, shot_row, (features, paths, recipe, design == MASKED), about))
    return alone + shots


def _alone(number: int) -> str:
    return f"path {number} from scratch"


def summarise(rows: Sequence[Row], settings: Settings) -> dict[str, Any]:
    """Rank correlations of supernet scores with the LogLoss from scratch, its mean over seeds.

    Args:
        rows: of a finished journal.
        settings: that they were made with.

    Returns:
        What `correlations` says of supernets as searches train and use them, mean over supernets; of each of
        `designs` and each last layer; and `between_trainings` from scratch with different seeds; `paths` and
        `seeds`.
    """
    found = {(row["method"], row["seed"]): row for row in rows}
    by_seed = np.array(
        [
            [found[_alone(number), seed]["logloss"] for number in range(settings.paths)]
            for seed in settings.seeds
        ]
    )
    truth = by_seed.mean(axis=0)
    designs = {
        design: {
            layer: _mean(
                [correlations(np.array(found[design, seed][layer]), truth) for seed in settings.seeds]
            )
            for layer in LAYERS
        }
        for design in settings.designs
    }
    return {
        "paths": settings.paths,
        "seeds": len(settings.seeds),
        **designs[PLAIN]["refit"],
        "designs": designs,
        "between_trainings": _mean([correlations(*pair) for pair in combinations(by_seed, 2)]),
    }


def _mean(found: Sequence[Mapping[str, float]]) -> dict[str, float]:
    return {name: float(np.mean([one[name] for one in found])) for name in found[0]}


def correlations(scores: Floats, truth: Floats) -> dict[str, float]:
    """Kendall's tau and Pearson's r over all paths, and tau over the better half by truth."""
    half = np.argsort(truth)[: len(truth) // 2]
    return {
        "kendall": float(kendalltau(scores, truth).statistic),
        "pearson": float(pearsonr(scores, truth).statistic),
        "kendall_better_half": float(kendalltau(scores[half], truth[half]).statistic),
    }
