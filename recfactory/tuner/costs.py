"""What the parts of a search cost on this machine, measured before it is planned."""

import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from itertools import islice
from typing import Any

import keras
import numpy as np

from recfactory.models import registry
from recfactory.space.genes import decode
from recfactory.space.path import Path
from recfactory.space.sampling import sample_binomial
from recfactory.space.space import Space
from recfactory.supernet.score import Scorer
from recfactory.supernet.shot import ShotRecipe
from recfactory.supernet.supernet import Supernet
from recfactory.training.optimizers import compile_for
from recfactory.training.recipe import Recipe
from recfactory.training.source import Source
from recfactory.tuner.evaluator import VALID_ROWS

WARM_STEPS, STEPS = 15, 30
WARM_BATCHES, BATCHES = 2, 4
SCORES = 4
EPOCHS = 10
"""Of a training that stops when validation does."""


@dataclass(frozen=True)
class Costs:
    """Processor seconds that parts of a search take.

    Args:
        epoch: of a supernet.
        score: of a path with shared weights.
        training: of a path alone, to the end.
    """

    epoch: float
    score: float
    training: float


def measure_costs(space: Space, source: Source, shot: ShotRecipe, final: Sequence[Recipe]) -> Costs:
    """Trains and scores some random paths for some steps.

    Args:
        space: to search.
        source: of the rows.
        shot: how supernets will be trained.
        final: how paths will be trained alone, each with all of these.
    """
    rows = sample_binomial(space, SCORES + 1, np.random.default_rng(shot.seed))
    paths = sorted(decode(space, rows), key=lambda path: path.macs)
    keras.utils.set_random_seed(shot.seed)
    supernet = Supernet(
        space,
        source.layout,
        shot.sampler(WARM_STEPS + STEPS),
        embedding_l2=shot.embedding_l2,
        clip_norm=shot.clip_norm,
    )
    supernet.compile(shot.make_optimizer(WARM_STEPS + STEPS))
    step = _mean_seconds(supernet.train_step, source, shot, WARM_STEPS, STEPS)
    scorer = Scorer(supernet, source, valid_rows=VALID_ROWS)
    scores = [_seconds(lambda path=path: scorer.score(path)) for path in paths]  # type: ignore[misc]
    training = sum(_training(paths[len(paths) // 2], source, recipe) for recipe in final)
    keras.backend.clear_session()
    return Costs(step * source.steps(shot), float(np.mean(scores[1:])), training)


def _training(path: Path, source: Source, final: Recipe) -> float:
    start = time.process_time()
    ranker = registry.build(path, source.layout, final)
    compile_for(ranker, final)
    batch = _mean_seconds(lambda batch: ranker.train_on_batch(*batch), source, final, WARM_BATCHES, BATCHES)
    return time.process_time() - start + EPOCHS * batch * source.steps(final)


def _mean_seconds(
    step: Callable[[Any], object], source: Source, recipe: ShotRecipe | Recipe, warm: int, count: int
) -> float:
    batches = islice(source.epoch(recipe, 0, 0).repeat(), warm + count)
    return float(np.mean([_seconds(lambda batch=batch: step(batch)) for batch in batches][warm:]))  # type: ignore[misc]


def _seconds(do: Callable[[], object]) -> float:
    start = time.process_time()
    do()
    return time.process_time() - start
