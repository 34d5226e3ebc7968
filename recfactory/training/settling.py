"""What is measured on training rows after an epoch: statistics of batches, and the prior."""

from collections.abc import Iterator
from contextlib import contextmanager
from operator import itemgetter
from typing import Any

import keras
import numpy as np
import numpy.typing as npt
import tensorflow as tf
from scipy.optimize import brentq
from scipy.special import expit

from recfactory.models.ranker import Ranker
from recfactory.training.score import measure, probabilities, read_answers
from recfactory.training.source import Order, Source

ROWS = 32_768
"""Means and variances of hidden layers, and of predictions, settle long before."""
FARTHEST = 10.0
"""That the prior is moved at once."""
Floats = npt.NDArray[np.float32]


class Settler:
    """Brings a model into a state that suits its present weights, and back.

    Settled, batch-normalised layers have statistics of training rows (arXiv 2105.07576, section 3): means
    over the batches that an epoch begins with. The running ones that training leaves behind belong to earlier
    weights where an epoch has few steps, and to activations of which some were dropped (arXiv 1801.05134): a
    model of several normalised layers can be far off with them. Then the prior is moved so that the mean
    prediction for these rows is their share of clicks: the bias that the last step left swings with the
    batches, by several per cent of the mean.

    It does not always help: what running statistics lag behind can keep an overfitted model modest. So
    validation chooses, see `judged`.

    Args:
        ranker: built.
        source: of the rows.
        order: of the epochs.
    """

    def __init__(self, ranker: Ranker, source: Source, order: Order) -> None:
        self.ranker, self.source, self.order = ranker, source, order
        self.answers = read_answers(source, "valid")
        layers = list(ranker.tower._flatten_layers())  # Keras names no public way to nested layers
        self.norms = [layer for layer in layers if isinstance(layer, keras.layers.BatchNormalization)]
        moved = [norm.moving_mean for norm in self.norms] + [norm.moving_variance for norm in self.norms]
        self.moved = [ranker.prior, *moved]
        self._kept = tf.Variable(0.0)
        """The share of a mean over batches that is not the next batch's."""

        @tf.function(reduce_retracing=True)
        def see(inputs: Any) -> None:
            with _measuring(layers, self._kept):  # while it is traced
                ranker.logits(inputs, training=True)

        @tf.function(reduce_retracing=True)
        def logits(inputs: Any) -> tf.Tensor:
            return ranker.logits(inputs)

        self._see, self._logits = see, logits

    @contextmanager
    def judged(self, epoch: int) -> Iterator[tuple[float, float]]:
        """Inside it, the model is as training left it or settled, whichever is better on validation rows.

        Args:
            epoch: that was trained, counted from 0.

        Yields:
            Validation LogLoss and AUC.
        """
        before = [variable.numpy() for variable in self.moved]
        as_left = self._measure()
        self.settle(epoch)
        settled = self._measure()
        if as_left[0] <= settled[0]:
            self._restore(before)
        yield min(as_left, settled, key=itemgetter(0))
        self._restore(before)

    def settle(self, epoch: int) -> None:
        """Settles the model on the first rows of an epoch, counted from 0."""
        wanted = -(-ROWS // self.order.batch_size)
        batches = list(self.source.epoch(self.order, epoch, 0).take(wanted))
        for number, (inputs, *_) in enumerate(batches if self.norms else ()):
            self._kept.assign(number / (number + 1))
            self._see(inputs)
        known = [(self._logits(inputs).numpy(), label, weight) for inputs, label, weight in batches]
        columns = (np.concatenate(column) for column in zip(*known, strict=True))
        self.ranker.prior.assign_add(shift(*columns))

    def _measure(self) -> tuple[float, float]:
        return measure(self.answers, probabilities(self.ranker, self.source, "valid"))

    def _restore(self, values: list[Floats]) -> None:
        for variable, value in zip(self.moved, values, strict=True):
            variable.assign(value)


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

    if excess(-FARTHEST) > 0:
        return -FARTHEST
    if excess(FARTHEST) < 0:
        return FARTHEST
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
