"""Measures how well scores of a supernet rank architectures, against training each from scratch."""

import json
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path as File
from typing import Any

import keras
import numpy as np
import tensorflow as tf
from scipy.stats import kendalltau, pearsonr

from recfactory.models.sparse_update import SparseAdam
from recfactory.models.standalone import build_ranker
from recfactory.space.genes import decode
from recfactory.space.path import Path
from recfactory.space.sampling import sample_binomial
from recfactory.space.space import Space
from recfactory.training.score import measure, probabilities, read_answers
from recfactory.training.source import Source


@dataclass(frozen=True)
class ShortRecipe:
    """How an architecture is trained from scratch, always the same way: Adam, the rate falling as a cosine.

    Args:
        seed: of initial values and order of rows.
        epochs: over the training rows.
        batch_size: rows a step.
        learning_rate: at first.
        embedding_l2: weight decay of embeddings, as of `Ranker`.
    """

    seed: int
    epochs: int
    batch_size: int = 512
    learning_rate: float = 1e-3
    embedding_l2: float = 0.05


def train_alone(path: Path, source: Source, recipe: ShortRecipe) -> tuple[float, float]:
    """Trains a path from scratch as a standalone model.

    Returns:
        Validation LogLoss and AUC after the last epoch.
    """
    keras.backend.clear_session()
    keras.utils.set_random_seed(recipe.seed)
    ranker = build_ranker(path, source.layout, embedding_l2=recipe.embedding_l2, clip_norm=5.0)
    steps = source.steps(recipe) * recipe.epochs
    rates = [keras.optimizers.schedules.CosineDecay(recipe.learning_rate, steps) for _ in range(2)]
    ranker.compile(keras.optimizers.Adam(rates[0]), SparseAdam(rates[1]))
    for epoch in range(recipe.epochs):
        ranker.fit(source.epoch(recipe, epoch, 0), epochs=1, shuffle=False, verbose=0)
    return measure(read_answers(source, "valid"), probabilities(ranker, source, "valid"))
