"""A running mean of a model's weights, which is judged and kept instead of them."""

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from typing import Any

import keras
import numpy as np
import numpy.typing as npt
import tensorflow as tf

STRIDE = 4
"""Steps between updates, which read all of a table where a step reads some rows."""
WARM_UP = 9
"""At step n the mean looks back on at most n / 9 steps, so that it does not lag behind at first."""

Arrays = list[npt.NDArray[Any]]


class WeightMean:
    """The exponential mean of weights over the steps of a training (Polyak and Juditsky, 1992).

    Steps of a constant size end around an optimum and not in it; the mean lies nearer to it, and does not
    depend on when the last steps were taken.

    Args:
        weights: of the model.
        decay: what is left of the mean after a step, when it has warmed up; 0 for no mean at all.
        steps: of an epoch.
        known: the mean of an interrupted training; the weights' present values otherwise.
    """

    def __init__(
        self, weights: Sequence[keras.Variable], decay: float, steps: int, known: Arrays | None = None
    ) -> None:
        self.weights = list(weights) if decay else []
        self.decay, self.steps = decay, steps
        start = known or [np.asarray(weight) for weight in self.weights]
        self._means = [tf.Variable(value, trainable=False) for value in start]

        @tf.function
        def move(share: tf.Tensor) -> None:
            for mean, weight in zip(self._means, self.weights, strict=True):
                mean.assign_add(share * (weight - mean))

        self._move = move

    def step(self, epoch: int, step: int) -> None:
        """Takes the weights after a step into the mean, if it is the step's turn.

        Args:
            epoch: counted from 0.
            step: in the epoch, counted from 1.
        """
        passed = (step - 1) % STRIDE + 1
        if not self.weights or (passed < STRIDE and step < self.steps):
            return
        number = epoch * self.steps + step
        kept = min(self.decay, number / (number + WARM_UP))
        self._move(tf.constant(1 - kept**passed, tf.float32))

    def values(self) -> Arrays:
        """The mean of each weight; empty without a mean."""
        return [mean.numpy() for mean in self._means]

    @contextmanager
    def applied(self) -> Iterator[None]:
        """Inside it, the weights are their means."""
        live = [weight.numpy() for weight in self.weights]
        for weight, mean in zip(self.weights, self._means, strict=True):
            weight.assign(mean)
        yield
        for weight, value in zip(self.weights, live, strict=True):
            weight.assign(value)
