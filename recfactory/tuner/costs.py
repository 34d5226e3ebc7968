"""What the parts of a search cost on this machine, measured before it is planned."""

import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from itertools import islice
from typing import Any

import keras
import numpy as np

from recfactory.codesign.designs import Designs
from recfactory.models import registry
from recfactory.models.ranker import Ranker
from recfactory.quantise.model import quantised
from recfactory.quantise.precision import Precision
from recfactory.quantise.tune import EPOCHS as TUNING_EPOCHS
from recfactory.quantise.tune import calibration
from recfactory.space.genes import decode
from recfactory.space.path import Path
from recfactory.space.sampling import sample_binomial
from recfactory.supernet.score import Scorer, Scoring
from recfactory.supernet.shot import ShotRecipe
from recfactory.supernet.supernet import Supernet
from recfactory.training.optimizers import compile_for
from recfactory.training.recipe import Recipe
from recfactory.training.source import Source
from recfactory.tuner.forms import Searched, parts_of

WARM_STEPS, STEPS = 15, 30
WARM_BATCHES, BATCHES = 2, 4
SCORES = 4
EPOCHS = 16
"""Of a training that stops when validation does."""


@dataclass(frozen=True)
class Costs:
    """Processor seconds that parts of a search take.

    Args:
        epoch: of a supernet.
        score: of a candidate with shared weights.
        training: of a candidate alone, to the end.
    """

    epoch: float
    score: float
    training: float


def measure_costs(
    searched: Searched, source: Source, shot: ShotRecipe, scoring: Scoring, final: Sequence[Recipe]
) -> Costs:
    """Trains and scores some random candidates for some steps.

    Args:
        searched: the candidates.
        source: of the rows.
        shot: how supernets will be trained.
        scoring: how paths will be scored in them.
        final: how paths will be trained alone, each with all of these.
    """
    parts = sorted(_some(searched, SCORES + 1, shot.seed), key=lambda part: part[0].macs)
    keras.utils.set_random_seed(shot.seed)
    supernet = Supernet(
        searched.space,
        source.layout,
        shot.sampler(WARM_STEPS + STEPS),
        embedding_l2=shot.embedding_l2,
        clip_norm=shot.clip_norm,
    )
    supernet.compile(shot.make_optimizer(WARM_STEPS + STEPS))
    step = _mean_seconds(supernet.train_step, source, shot, WARM_STEPS, STEPS)
    scorer = Scorer(supernet, source, scoring)
    scores = [_seconds(lambda part=part: scorer.score(*part)) for part in parts]  # type: ignore[misc]
    path, precision = parts[len(parts) // 2]
    rankers = [registry.build(path, source.layout, recipe) for recipe in final]
    training = sum(_training(*each, source, EPOCHS) for each in zip(rankers, final, strict=True))
    if precision is not None:  # the best form is trained on with its bits
        few = quantised(rankers[0], replace(precision, crossbar=None), calibration(source))
        training += _training(few, final[0], source, TUNING_EPOCHS)
    keras.backend.clear_session()
    return Costs(step * source.steps(shot), float(np.mean(scores[1:])), training)


def _some(searched: Searched, count: int, seed: int) -> list[tuple[Path, Precision | None]]:
    """Random candidates."""
    rng = np.random.default_rng(seed)
    if isinstance(searched, Designs):
        return [parts_of(design) for design in searched.decode(searched.sample(count, rng))]
    return [parts_of(path) for path in decode(searched.space, sample_binomial(searched.space, count, rng))]


def _training(ranker: Ranker, recipe: Recipe, source: Source, epochs: int) -> float:
    start = time.process_time()
    compile_for(ranker, recipe)
    batch = _mean_seconds(lambda batch: ranker.train_on_batch(*batch), source, recipe, WARM_BATCHES, BATCHES)
    return time.process_time() - start + epochs * batch * source.steps(recipe)


def _mean_seconds(
    step: Callable[[Any], object], source: Source, recipe: ShotRecipe | Recipe, warm: int, count: int
) -> float:
    batches = islice(source.epoch(recipe, 0, 0).repeat(), warm + count)
    return float(np.mean([_seconds(lambda batch=batch: step(batch)) for batch in batches][warm:]))  # type: ignore[misc]


def _seconds(do: Callable[[], object]) -> float:
    start = time.process_time()
    do()
    return time.process_time() - start
