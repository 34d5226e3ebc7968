"""Batch statistics as a model is used: of the weights it has now, with nothing dropped."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

import keras
import tensorflow as tf

from recfactory.models.ranker import Ranker
from recfactory.training.source import Order, Source

ROWS = 32_768
"""Means and variances of hidden layers settle long before."""


def statistics_measurer(ranker: Ranker, source: Source, order: Order) -> Callable[[int], None]:
    """Makes what gives batch-normalised layers the statistics of training rows (arXiv 2105.07576, section 3).

    The running ones that training leaves behind belong to earlier weights where an epoch has few steps, and
    to activations of which some were dropped (arXiv 1801.05134): a model of several normalised layers is far
    off with them. The measured ones are means over the batches that an epoch begins with.

    Args:
        ranker: built.
        source: of the rows.
        order: of the epochs.

    Returns:
        What measures, given the epoch, counted from 0.
    """
    layers = list(ranker.tower._flatten_layers())  # Keras names no public way to nested layers
    if not any(isinstance(layer, keras.layers.BatchNormalization) for layer in layers):
        return lambda epoch: None
    kept = tf.Variable(0.0)
    """The share of a mean over batches that is not the next batch's."""

    @tf.function(reduce_retracing=True)
    def see(inputs: Any) -> None:
        with _measuring(layers, kept):  # while it is traced
            ranker.logits(inputs, training=True)

    def measure(epoch: int) -> None:
        batches = source.epoch(order, epoch, 0).take(-(-ROWS // order.batch_size))
        for number, (inputs, *_) in enumerate(batches):
            kept.assign(number / (number + 1))
            see(inputs)

    return measure


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
