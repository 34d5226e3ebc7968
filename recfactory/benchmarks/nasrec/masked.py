"""Normalisation over the masked width, as NASRec's public code has it, for the ranking benchmark alone."""

from collections.abc import Iterator
from contextlib import contextmanager
from unittest.mock import patch

import tensorflow as tf

from recfactory.layers import elastic, normalised
from recfactory.layers.normalise import EPSILON
from recfactory.space.space import Space


@contextmanager
def masked_normalisation(space: Space) -> Iterator[None]:
    """Inside it, elastic operators, but for attention, normalise as if padded with zeros to full width."""

    def normalise(x: tf.Tensor, bias: tf.Tensor, gain: tf.Tensor, shift: tf.Tensor) -> tf.Tensor:
        full = float((space.dense_dims if len(x.shape) == 2 else space.sparse_dims)[-1])
        biased = x + bias
        mean = tf.reduce_sum(biased, -1, keepdims=True) / full
        square = tf.reduce_sum(tf.square(biased), -1, keepdims=True) / full
        return (biased - mean) * tf.math.rsqrt(square - tf.square(mean) + EPSILON) * gain + shift

    with patch.object(normalised, "normalise", normalise):
        elastic.forget_compiled()
        try:
            yield
        finally:
            elastic.forget_compiled()
