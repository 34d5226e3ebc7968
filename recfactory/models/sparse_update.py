"""Optimizers of tables whose cost follows the rows touched, not the rows there are."""

import math
from abc import abstractmethod
from collections.abc import Iterable, Sequence
from typing import Any, NamedTuple

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


class Update(NamedTuple):
    """What a step does to some rows of a table.

    Args:
        table: a variable `(table rows, dim)`.
        rows: `(u,)` int32, without repetitions.
        gradient: `(u, dim)` of these rows.
    """

    table: keras.Variable
    rows: tf.Tensor
    gradient: tf.Tensor


def merge(updates: Iterable[Update], scale: float) -> list[Update]:
    """Adds up the gradients of updates of the same tables.

    Args:
        updates: of any tables, in any order.
        scale: factor on the sums.

    Returns:
        One update per table, in order of appearance.
    """
    of_table: dict[int, list[Update]] = {}
    for update in updates:
        of_table.setdefault(id(update.table), []).append(update)
    merged = []
    for same in of_table.values():
        rows = tf.concat([update.rows for update in same], 0)
        gradient = tf.concat([update.gradient for update in same], 0) * scale
        merged.append(Update(same[0].table, *sum_duplicates(rows, gradient)))
    return merged


def clip(updates: Sequence[Update], norm: float) -> list[Update]:
    """Scales gradients down to a largest norm of all together; eagerly, since most steps need no scaling."""
    squares = [tf.raw_ops.L2Loss(t=update.gradient) for update in updates]
    length = math.sqrt(2.0 * float(tf.raw_ops.AddN(inputs=squares)))
    if not length > norm:
        return list(updates)
    scale = tf.constant(norm / length)
    return [update._replace(gradient=update.gradient * scale) for update in updates]


class SparseOptimizer(keras.optimizers.Optimizer):
    """Updates rows of tables; its slots are Keras variables and are saved with the model.

    Args:
        learning_rate: step size, or a Keras schedule of it.
        name: of the optimizer.
    """

    def __init__(self, learning_rate: Any, name: str) -> None:
        super().__init__(learning_rate=learning_rate, name=name)
        self.slots: dict[int, tuple[keras.Variable, ...]] = {}

    def build(self, variables: list[keras.Variable]) -> None:
        """Makes the slots of the tables in `variables`."""
        if self.built:
            return
        super().build(variables)
        for table in variables:
            self.slots[id(table)] = self.make_slots(table)

    @abstractmethod
    def make_slots(self, table: keras.Variable) -> tuple[keras.Variable, ...]:
        """Makes the variables that hold what is remembered of each row."""

    def apply_rows(self, table: keras.Variable, rows: tf.Tensor, gradient: tf.Tensor) -> None:
        """Takes one step on one table; arguments as of `Update`."""
        self.apply_updates([Update(table, rows, gradient)])

    def apply_updates(self, updates: Sequence[Update]) -> None:
        """Takes one step on the tables built with."""
        rate = tf.convert_to_tensor(self.learning_rate)
        self.iterations.assign_add(1)
        for update in updates:
            self.update_rows(update, self.slots[id(update.table)], rate)

    @abstractmethod
    def update_rows(self, update: Update, slots: tuple[keras.Variable, ...], rate: tf.Tensor) -> None:
        """Updates rows of a table and of its slots."""

    def get_config(self) -> dict[str, Any]:
        """The constructor's arguments as JSON values."""
        return {"name": self.name, "learning_rate": super().get_config()["learning_rate"]}


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

    def make_slots(self, table: keras.Variable) -> tuple[keras.Variable, ...]:
        """Makes the sums of squared gradients."""
        start = keras.initializers.Constant(self.initial_accumulator)
        return (self.add_variable_from_reference(table, "accumulator", start),)

    def update_rows(self, update: Update, slots: tuple[keras.Variable, ...], rate: tf.Tensor) -> None:
        """Updates the rows in one fused operation."""
        tf.raw_ops.ResourceSparseApplyAdagradV2(
            var=update.table.value.handle,
            accum=slots[0].value.handle,
            lr=rate,
            epsilon=self.epsilon,
            grad=update.gradient,
            indices=update.rows,
        )

    def get_config(self) -> dict[str, Any]:
        """The constructor's arguments as JSON values."""
        return {
            **super().get_config(),
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

    def make_slots(self, table: keras.Variable) -> tuple[keras.Variable, ...]:
        """Makes the two moments."""
        return tuple(self.add_variable_from_reference(table, name) for name in ("momentum", "velocity"))

    def update_rows(self, update: Update, slots: tuple[keras.Variable, ...], rate: tf.Tensor) -> None:
        """Gathers the moments of the rows, moves them on and scatters them back."""
        table, rows, gradient = update
        moments = [_read(slot, rows) for slot in slots]
        constants = (self.beta_1, self.beta_2, self.epsilon)
        *moments, change = _adam(*moments, gradient, self.iterations.value, rate, constants)
        for slot, value in zip(slots, moments, strict=True):
            _write(slot, rows, value)
        tf.raw_ops.ResourceScatterSub(resource=table.value.handle, indices=rows, updates=change)

    def get_config(self) -> dict[str, Any]:
        """The constructor's arguments as JSON values."""
        return {
            **super().get_config(),
            "beta_1": self.beta_1,
            "beta_2": self.beta_2,
            "epsilon": self.epsilon,
        }


@tf.function(reduce_retracing=True)
def _adam(
    momentum: tf.Tensor,
    velocity: tf.Tensor,
    gradient: tf.Tensor,
    iterations: tf.Tensor,
    rate: tf.Tensor,
    constants: tuple[float, float, float],
) -> tuple[tf.Tensor, tf.Tensor, tf.Tensor]:
    """The moments moved on, and the change of the rows; one function, for the sake of eager steps."""
    beta_1, beta_2, epsilon = constants
    step = tf.cast(iterations, tf.float32)
    correction = tf.sqrt(1.0 - tf.pow(beta_2, step)) / (1.0 - tf.pow(beta_1, step))
    momentum = beta_1 * momentum + (1.0 - beta_1) * gradient
    velocity = beta_2 * velocity + (1.0 - beta_2) * tf.square(gradient)
    return momentum, velocity, rate * correction * momentum / (tf.sqrt(velocity) + epsilon)


def _read(slot: keras.Variable, rows: tf.Tensor) -> tf.Tensor:
    return tf.raw_ops.ResourceGather(resource=slot.value.handle, indices=rows, dtype=tf.float32)


def _write(slot: keras.Variable, rows: tf.Tensor, values: tf.Tensor) -> None:
    tf.raw_ops.ResourceScatterUpdate(resource=slot.value.handle, indices=rows, updates=values)
