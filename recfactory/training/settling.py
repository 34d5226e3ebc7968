"""What is measured on training rows after an epoch: statistics of batches, and the prior."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

import keras
import numpy as np
import numpy.typing as npt
import tensorflow as tf
from scipy.optimize import brentq
from scipy.special import expit

from recfactory.models.ranker import Ranker
from recfactory.training.source import Order, Source

ROWS = 32_768
"""Means and variances of hidden layers, and of predictions, settle long before."""
FARTHEST = 10.0
"""That the prior is moved at once."""
Floats = npt.NDArray[np.float32]


def settler(ranker: Ranker, source: Source, order: Order) -> Callable[[int], None]:
    """Makes what brings a model into the state in which it is judged and used.

    Batch-normalised layers get statistics of training rows (arXiv 2105.07576, section 3). The running ones
    that training leaves behind belong to earlier weights where an epoch has few steps, and to activations of
    which some were dropped (arXiv 1801.05134): a model of several normalised layers is far off with them. The
    measured ones are means over the batches that an epoch begins with.

    Then the prior is moved so that the mean prediction for these rows is their share of clicks: the bias that
    the last step left swings with the batches, by several per cent of the mean.

    Args:
        ranker: built.
        source: of the rows.
        order: of the epochs.

    Returns:
        What does it, given the epoch, counted from 0.
    """
    layers = list(ranker.tower._flatten_layers())  # Keras names no public way to nested layers
    normalised = any(isinstance(layer, keras.layers.BatchNormalization) for layer in layers)
    kept = tf.Variable(0.0)
    """The share of a mean over batches that is not the next batch's."""

    @tf.function(reduce_retracing=True)
    def see(inputs: Any) -> None:
        with _measuring(layers, kept):  # while it is traced
            ranker.logits(inputs, training=True)

    @tf.function(reduce_retracing=True)
    def logits(inputs: Any) -> tf.Tensor:
        return ranker.logits(inputs)

    def settle(epoch: int) -> None:
        batches = list(source.epoch(order, epoch, 0).take(-(-ROWS // order.batch_size)))
        for number, (inputs, *_) in enumerate(batches if normalised else ()):
            kept.assign(number / (number + 1))
            see(inputs)
        known = [(logits(inputs).numpy(), label, weight) for inputs, label, weight in batches]
        ranker.prior.assign_add(shift(*(np.concatenate(column) for column in zip(*known, strict=True))))

    return settle


def shift(logits: Floats, label: Floats, weight: Floats) -> float:
    """What is added to logits so that the mean prediction is the share of clicks.

    Args:
        logits: `(rows,)`.
        label: `(rows,)`.
        weight: `(rows,)`.

    Returns:
        At most `FARTHEST` in size; 0 where there are no clicks, or nothing else.
    """
    clicks = float(np.average(label, weights=weight)) if weight.sum() > 0 else 0.0
    if not 0 < clicks < 1:
        return 0.0

    def excess(moved: float) -> float:
        return float(np.average(expit(logits.astype(np.float64) + moved), weights=weight)) - clicks

    if excess(-FARTHEST) > 0 or excess(FARTHEST) < 0:
        return -FARTHEST if excess(-FARTHEST) > 0 else FARTHEST
    return float(brentq(excess, -FARTHEST, FARTHEST))


@contextmanager
def _measuring(layers: list[keras.layers.Layer], kept: tf.Variable) -> Iterator[None]:
    """Layers that drop nothing, and average statistics as `kept` says."""
    before = []
    for layer in layers:
        for kind, name, value in (
            (keras.layers.BatchNormalization, "momentum", kept),
            (keras.layers.Dropout, "rate", 0.0),
        ):
            if isinstance(layer, kind):
                before.append((layer, name, getattr(layer, name)))
                setattr(layer, name, value)
    try:
        yield
    finally:
        for layer, name, value in before:
            setattr(layer, name, value)
