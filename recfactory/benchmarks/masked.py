"""Normalisation over the masked width, as NASRec's public code has it, for the ranking benchmark alone."""

from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from importlib import import_module
from unittest.mock import patch

import tensorflow as tf

from recfactory.layers import elastic
from recfactory.layers.normalise import EPSILON
from recfactory.space.space import Space

OPERATORS = ("fc", "gating", "sum", "dot_product", "efc")
"""Those that normalise over a width that can be masked."""


@contextmanager
def masked_normalisation(space: Space) -> Iterator[None]:
    """Inside it, elastic operators normalise as if their outputs were padded with zeros to full width."""

    def normalise(x: tf.Tensor, bias: tf.Tensor, gain: tf.Tensor, shift: tf.Tensor) -> tf.Tensor:
        full = float((space.dense_dims if len(x.shape) == 2 else space.sparse_dims)[-1])
        biased = x + bias
        mean = tf.reduce_sum(biased, -1, keepdims=True) / full
        square = tf.reduce_sum(tf.square(biased), -1, keepdims=True) / full
        return (biased - mean) * tf.math.rsqrt(square - tf.square(mean) + EPSILON) * gain + shift

    with ExitStack() as stack:
        for name in OPERATORS:
            module = import_module(f"recfactory.layers.{name}")
            stack.enter_context(patch.object(module, "normalise", normalise))
        elastic.forget_compiled()
        stack.callback(elastic.forget_compiled)
        yield
