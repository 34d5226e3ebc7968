"""Trains a network many times over; its step is compiled once."""

from collections.abc import Sequence
from typing import NamedTuple

import keras
import numpy as np
import numpy.typing as npt
import tensorflow as tf

from recfactory.predictor.network import Network
from recfactory.predictor.options import PredictorOptions
from recfactory.search.objectives import Floats

Array = npt.NDArray[np.float32]


class Batches(NamedTuple):
    """What a network learns from: batches that take turns, a step each.

    Args:
        inputs: genes, one-hot, `(batches, rows, all symbols)`.
        targets: scaled losses, `(batches, rows)`.
    """

    inputs: Array
    targets: Array


class Trainer:
    """Trains a network again and again, each time from the same start.

    Args:
        network: new; what it starts from each time.
        options: of its training.
        rng: of the pairs that the ranking loss compares.
    """

    def __init__(self, network: Network, options: PredictorOptions, rng: np.random.Generator) -> None:
        self.network, self.options, self.rng = network, options, rng
        self.start = network.get_weights()
        self.optimizer = keras.optimizers.Adam(options.learning_rate)
        self.optimizer.build(network.trainable_variables)
        width = network.inputs_width
        self._learn = tf.function(
            self._steps,
            input_signature=[
                tf.TensorSpec((None, None, width)),
                tf.TensorSpec((None, None)),
                tf.TensorSpec((None,), tf.int32),
                tf.TensorSpec(()),
            ],
        )

    def fit(self, batches: Batches, decay: float) -> None:
        """Trains the network from the start.

        Args:
            batches: to learn from.
            decay: weight decay, as a share of the learning rate (arXiv 1711.05101).
        """
        self.network.set_weights(self.start)
        self._go_on(batches, self.options.epochs, decay)

    def pretrain(self, batches: Batches, steps: int) -> None:
        """Trains the network for a new start, except for its last layer."""
        last = self.network.trunk[-1]
        before = last.get_weights()
        self._go_on(batches, steps, 0.0)
        last.set_weights(before)
        self.start = self.network.get_weights()

    def cross_predict(self, batches: Batches, folds: Sequence[npt.NDArray[np.int64]], decay: float) -> Floats:
        """What it predicts of the rows of each fold when it learned the others, `(rows,)`."""
        predicted = np.empty(batches.targets.shape[1])
        for held in folds:
            others = np.setdiff1d(np.arange(len(predicted)), held)
            self.fit(Batches(batches.inputs[:, others], batches.targets[:, others]), decay)
            predicted[held] = self.network(batches.inputs[0, held])
        return predicted

    def _go_on(self, batches: Batches, steps: int, decay: float) -> None:
        for variable in self.optimizer.variables:
            variable.assign(tf.zeros_like(variable))
        shifts = self.rng.integers(1, max(2, batches.targets.shape[1]), steps).astype(np.int32)
        self._learn(
            *map(tf.constant, (batches.inputs, batches.targets, shifts)), tf.constant(decay, tf.float32)
        )

    def _steps(self, inputs: tf.Tensor, targets: tf.Tensor, shifts: tf.Tensor, decay: tf.Tensor) -> None:
        # Its own loop, as a call for each step would take longer than the step.
        steps, batches = tf.shape(shifts)[0], tf.shape(inputs)[0]
        weights = [variable.value for variable in self.network.trainable_variables]
        for step in tf.range(steps):
            share = tf.cast(step, tf.float32) / tf.cast(steps, tf.float32)
            rate = self.options.learning_rate * (1 + tf.cos(np.pi * share)) / 2
            self.optimizer.learning_rate.assign(rate)
            with tf.GradientTape() as tape:
                predicted = self.network(inputs[step % batches])
                loss = self._loss(predicted, targets[step % batches], shifts[step])
            self.optimizer.apply(tape.gradient(loss, weights))
            for weight in weights:
                weight.assign(weight * (1 - rate * decay))

    def _loss(self, predicted: tf.Tensor, targets: tf.Tensor, shift: tf.Tensor) -> tf.Tensor:
        """Squared error, and a hinge on the order of pairs (PIDS, arXiv 2211.15759): each row and another."""
        error = tf.reduce_mean((predicted - targets) ** 2)
        apart = predicted - tf.roll(predicted, shift, 0)
        order = tf.sign(targets - tf.roll(targets, shift, 0))
        wrong = tf.nn.relu(self.options.margin - apart * order) * tf.abs(order)
        return error + self.options.hinge * tf.reduce_mean(wrong)
