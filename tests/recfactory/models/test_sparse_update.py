"""The sparse optimizers against Keras' dense ones."""

import keras
import numpy as np
import pytest
import tensorflow as tf

from recfactory.models.sparse_update import SparseAdagrad, SparseAdam, SparseOptimizer, sum_duplicates

ROWS, DIM, STEPS = 20, 3, 8


def table() -> keras.Variable:
    return keras.Variable(np.random.default_rng(0).normal(size=(ROWS, DIM)).astype(np.float32), name="table")


def batches(everything: bool) -> list[tuple[np.ndarray, np.ndarray]]:
    """Ids with repetitions and their gradients; `everything` touches each row in each step."""
    random = np.random.default_rng(1)
    result = []
    for _ in range(STEPS):
        ids = random.integers(0, ROWS, 12)
        ids = np.concatenate([np.arange(ROWS), ids]) if everything else ids
        result.append((ids.astype(np.int32), random.normal(size=(len(ids), DIM)).astype(np.float32)))
    return result


def summed(ids: np.ndarray, gradient: np.ndarray) -> np.ndarray:
    dense = np.zeros((ROWS, DIM), np.float32)
    np.add.at(dense, ids, gradient)
    return dense


def both(
    dense: keras.optimizers.Optimizer, sparse: SparseOptimizer, everything: bool
) -> tuple[np.ndarray, np.ndarray]:
    reference, ours = table(), table()
    dense.build([reference])
    sparse.build([ours])
    for ids, gradient in batches(everything):
        dense.apply([tf.constant(summed(ids, gradient))], [reference])
        sparse.apply_rows(ours, *sum_duplicates(tf.constant(ids), tf.constant(gradient)))
    return reference.numpy(), ours.numpy()


def test_adagrad_equals_the_dense_one() -> None:
    """Also on rows that rest: a gradient of zero moves nothing in Adagrad."""
    reference, ours = both(keras.optimizers.Adagrad(0.1), SparseAdagrad(0.1), everything=False)
    np.testing.assert_allclose(ours, reference, atol=1e-6)


def test_adam_equals_the_dense_one_where_every_row_is_touched() -> None:
    reference, ours = both(keras.optimizers.Adam(0.05), SparseAdam(0.05), everything=True)
    np.testing.assert_allclose(ours, reference, atol=1e-6)


def test_adam_leaves_the_moments_of_other_rows() -> None:
    optimizer, values = SparseAdam(0.05), table()
    start = values.numpy()
    optimizer.build([values])
    for step in range(1, 4):
        rows = tf.constant([step], tf.int32)
        optimizer.apply_rows(values, rows, tf.ones([1, DIM]))
    touched = np.flatnonzero(np.any(values.numpy() != start, axis=1))
    assert list(touched) == [1, 2, 3]
    momentum, _ = optimizer.slots[id(values)]
    np.testing.assert_allclose(momentum.numpy()[1], 0.1, rtol=1e-6)
    np.testing.assert_allclose(momentum.numpy()[4:], 0.0)


def test_duplicates_are_summed_first() -> None:
    rows, gradient = sum_duplicates(tf.constant([4, 1, 4]), tf.constant([[1.0], [2.0], [4.0]]))
    assert rows.numpy().tolist() == [4, 1]
    assert gradient.numpy().tolist() == [[5.0], [2.0]]


@pytest.mark.parametrize("optimizer", [SparseAdagrad(0.3, 0.2, 1e-5), SparseAdam(0.3, 0.8, 0.9, 1e-5)])
def test_config_round_trip(optimizer: SparseOptimizer) -> None:
    again = keras.saving.deserialize_keras_object(keras.saving.serialize_keras_object(optimizer))
    assert again.get_config() == optimizer.get_config()
