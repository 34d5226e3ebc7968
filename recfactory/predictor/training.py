"""Trains a network many times over; its step is compiled once."""

from typing import NamedTuple

import keras
import numpy as np
import numpy.typing as npt
import tensorflow as tf

from recfactory.predictor.network import Network

Array = npt.NDArray[np.float32]


class Lesson(NamedTuple):
    """What a network learns: parts that take turns, a step each.

    Args:
        inputs: genes, one-hot, `(parts, rows, all symbols)`.
        targets: scaled losses, `(parts, rows)`.
    """

    inputs: Array
    targets: Array


class Trainer:
    """Trains one network with one lesson after another, or again from other weights.

    Args:
        network: to train.
        learning_rate: at the start of a lesson; it falls to 0 as half a cosine.
        hinge: weight of the ranking loss beside the squared error.
        margin: by which the ranking loss wants a pair apart.
    """

    def __init__(self, network: Network, learning_rate: float, hinge: float, margin: float) -> None:
        self.network, self.learning_rate, self.hinge, self.margin = network, learning_rate, hinge, margin
        self.optimizer = keras.optimizers.Adam(learning_rate)
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

    def learn(self, lesson: Lesson, steps: int, decay: float, rng: np.random.Generator) -> None:
        """Trains the network from the weights it has.

        Args:
            lesson: to learn.
            steps: one part each.
            decay: weight decay, as a share of the learning rate (arXiv 1711.05101).
            rng: of the pairs that the ranking loss compares.
        """
        for variable in self.optimizer.variables:
            variable.assign(tf.zeros_like(variable))
        shifts = rng.integers(1, max(2, lesson.targets.shape[1]), steps).astype(np.int32)
        self._learn(
            *map(tf.constant, (lesson.inputs, lesson.targets, shifts)), tf.constant(decay, tf.float32)
        )

    def _steps(self, inputs: tf.Tensor, targets: tf.Tensor, shifts: tf.Tensor, decay: tf.Tensor) -> None:
        # Its own loop, as a call for each step would take longer than the step.
        steps, parts = tf.shape(shifts)[0], tf.shape(inputs)[0]
        weights = [variable.value for variable in self.network.trainable_variables]
        for step in tf.range(steps):
            share = tf.cast(step, tf.float32) / tf.cast(steps, tf.float32)
            rate = self.learning_rate * (1 + tf.cos(np.pi * share)) / 2
            self.optimizer.learning_rate.assign(rate)
            with tf.GradientTape() as tape:
                predicted = self.network(inputs[step % parts])
                loss = self._loss(predicted, targets[step % parts], shifts[step])
            self.optimizer.apply(tape.gradient(loss, weights))
            for weight in weights:
                weight.assign(weight * (1 - rate * decay))

    def _loss(self, predicted: tf.Tensor, targets: tf.Tensor, shift: tf.Tensor) -> tf.Tensor:
        """Squared error, and a hinge on the order of pairs (PIDS, arXiv 2211.15759): each row and another."""
        error = tf.reduce_mean((predicted - targets) ** 2)
        apart = predicted - tf.roll(predicted, shift, 0)
        order = tf.sign(targets - tf.roll(targets, shift, 0))
        wrong = tf.nn.relu(self.margin - apart * order) * tf.abs(order)
        return error + self.hinge * tf.reduce_mean(wrong)
