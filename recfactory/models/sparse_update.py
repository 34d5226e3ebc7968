"""Optimizers of an embedding table whose cost follows the rows touched, not the rows there are."""

from abc import abstractmethod
from typing import Any

import keras
import tensorflow as tf


def sum_duplicates(ids: tf.Tensor, gradient: tf.Tensor) -> tuple[tf.Tensor, tf.Tensor]:
    """Adds up the gradients of each row.

    Args:
        ids: `(n,)` int32, with repetitions.
        gradient: `(n, dim)`.

    Returns:
        The distinct rows `(u,)` in order of appearance and the sum of each one's gradients `(u, dim)`.
    """
    rows, position = tf.unique(ids)
    return rows, tf.math.unsorted_segment_sum(gradient, position, tf.size(rows))


class SparseOptimizer(keras.optimizers.Optimizer):
    """Updates rows of one table; its slots are Keras variables and are saved with the model."""

    def build(self, variables: list[keras.Variable]) -> None:
        """Makes the slots of the one table in `variables`."""
        if self.built:
            return
        super().build(variables)
        (table,) = variables
        self.make_slots(table)

    @abstractmethod
    def make_slots(self, table: keras.Variable) -> None:
        """Makes the variables that hold what is remembered of each row."""

    def apply_rows(self, table: keras.Variable, rows: tf.Tensor, gradient: tf.Tensor) -> None:
        """Takes one step.

        Args:
            table: `(table rows, dim)`, the one built with.
            rows: `(u,)` int32, without repetitions.
            gradient: `(u, dim)` of these rows.
        """
        self.iterations.assign_add(1)
        self.update_rows(table, rows, gradient)

    @abstractmethod
    def update_rows(self, table: keras.Variable, rows: tf.Tensor, gradient: tf.Tensor) -> None:
        """Updates the rows and their slots."""


@keras.saving.register_keras_serializable(package="recfactory")
class SparseAdagrad(SparseOptimizer):
    """Adagrad (Duchi et al. 2011) of the touched rows; equals the dense one, whose other rows rest.

    Args:
        learning_rate: step size.
        initial_accumulator: where the sum of squared gradients starts.
        epsilon: keeps the division finite.
    """

    def __init__(
        self,
        learning_rate: float = 0.01,
        initial_accumulator: float = 0.1,
        epsilon: float = 1e-7,
        name: str = "sparse_adagrad",
    ) -> None:
        super().__init__(learning_rate=learning_rate, name=name)
        self.initial_accumulator, self.epsilon = initial_accumulator, epsilon

    def make_slots(self, table: keras.Variable) -> None:
        """Makes the sums of squared gradients."""
        start = keras.initializers.Constant(self.initial_accumulator)
        self.accumulator = self.add_variable_from_reference(table, "accumulator", start)

    def update_rows(self, table: keras.Variable, rows: tf.Tensor, gradient: tf.Tensor) -> None:
        """Updates the rows in one fused operation."""
        tf.raw_ops.ResourceSparseApplyAdagradV2(
            var=table.value.handle,
            accum=self.accumulator.value.handle,
            lr=tf.convert_to_tensor(self.learning_rate),
            epsilon=self.epsilon,
            grad=gradient,
            indices=rows,
        )

    def get_config(self) -> dict[str, Any]:
        """The constructor's arguments as JSON values."""
        return {
            "name": self.name,
            "learning_rate": float(self.learning_rate.numpy()),
            "initial_accumulator": self.initial_accumulator,
            "epsilon": self.epsilon,
        }


@keras.saving.register_keras_serializable(package="recfactory")
class SparseAdam(SparseOptimizer):
    """Adam (Kingma and Ba 2015, algorithm 1) of the touched rows; the moments of the others rest.

    The bias correction counts steps of training, as in the dense one.

    Args:
        learning_rate: step size.
        beta_1: decay of the first moment.
        beta_2: decay of the second moment.
        epsilon: keeps the division finite.
    """

    def __init__(
        self,
        learning_rate: float = 0.001,
        beta_1: float = 0.9,
        beta_2: float = 0.999,
        epsilon: float = 1e-7,
        name: str = "sparse_adam",
    ) -> None:
        super().__init__(learning_rate=learning_rate, name=name)
        self.beta_1, self.beta_2, self.epsilon = beta_1, beta_2, epsilon

    def make_slots(self, table: keras.Variable) -> None:
        """Makes the two moments."""
        self.momentum = self.add_variable_from_reference(table, "momentum")
        self.velocity = self.add_variable_from_reference(table, "velocity")

    def update_rows(self, table: keras.Variable, rows: tf.Tensor, gradient: tf.Tensor) -> None:
        """Gathers the moments of the rows, moves them on and scatters them back."""
        step = tf.cast(self.iterations.value, tf.float32)
        correction = tf.sqrt(1.0 - tf.pow(self.beta_2, step)) / (1.0 - tf.pow(self.beta_1, step))
        momentum = self.beta_1 * _read(self.momentum, rows) + (1.0 - self.beta_1) * gradient
        velocity = self.beta_2 * _read(self.velocity, rows) + (1.0 - self.beta_2) * tf.square(gradient)
        change = tf.convert_to_tensor(self.learning_rate) * correction * momentum
        _write(self.momentum, rows, momentum)
        _write(self.velocity, rows, velocity)
        tf.raw_ops.ResourceScatterSub(
            resource=table.value.handle, indices=rows, updates=change / (tf.sqrt(velocity) + self.epsilon)
        )

    def get_config(self) -> dict[str, Any]:
        """The constructor's arguments as JSON values."""
        return {
            "name": self.name,
            "learning_rate": float(self.learning_rate.numpy()),
            "beta_1": self.beta_1,
            "beta_2": self.beta_2,
            "epsilon": self.epsilon,
        }


def _read(slot: keras.Variable, rows: tf.Tensor) -> tf.Tensor:
    return tf.gather(slot.value, rows)


def _write(slot: keras.Variable, rows: tf.Tensor, values: tf.Tensor) -> None:
    tf.raw_ops.ResourceScatterUpdate(resource=slot.value.handle, indices=rows, updates=values)
