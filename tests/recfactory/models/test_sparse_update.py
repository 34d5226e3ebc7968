"""The sparse optimizers against Keras' dense ones."""

from collections.abc import Callable

import keras
import numpy as np
import pytest
import tensorflow as tf

from recfactory.models.sparse_update import (
    SparseAdagrad,
    SparseAdam,
    SparseOptimizer,
    Update,
    clip,
    merge,
    sum_duplicates,
)

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


def test_a_config_may_hold_a_schedule() -> None:
    schedule = keras.optimizers.schedules.CosineDecay(0.1, 10)
    again = keras.saving.deserialize_keras_object(keras.saving.serialize_keras_object(SparseAdam(schedule)))
    assert again.get_config() == SparseAdam(schedule).get_config()
    again.build([table()])
    assert float(again.learning_rate) == pytest.approx(0.1)


@pytest.mark.parametrize(
    ("sparse", "dense"),
    [(SparseAdagrad, keras.optimizers.Adagrad), (SparseAdam, keras.optimizers.Adam)],
    ids=["adagrad", "adam"],
)
def test_a_scheduled_rate_is_that_of_the_step(sparse: type, dense: type) -> None:
    def schedule() -> keras.optimizers.schedules.LearningRateSchedule:
        return keras.optimizers.schedules.PiecewiseConstantDecay([2, 5], [0.3, 0.05, 0.01])

    reference, ours = both(dense(schedule()), sparse(schedule()), everything=True)
    np.testing.assert_allclose(ours, reference, atol=1e-6)


def update(of: keras.Variable, rows: list[int], seed: int) -> Update:
    gradient = np.random.default_rng(seed).normal(size=(len(rows), DIM)).astype(np.float32)
    return Update(of, tf.constant(rows, tf.int32), tf.constant(gradient))


def dense_of(updates: list[Update], of: keras.Variable) -> np.ndarray:
    found = np.zeros((ROWS, DIM), np.float32)
    for one in updates:
        if one.table is of:
            np.add.at(found, one.rows.numpy(), one.gradient.numpy())
    return found


def test_merge_adds_up_and_scales() -> None:
    one, other = table(), table()
    updates = [update(one, [3, 1], 0), update(other, [0], 1), update(one, [1, 7], 2)]
    merged = merge(updates, 0.5)
    assert [made.table is of for made, of in zip(merged, (one, other), strict=True)] == [True, True]
    assert merged[0].rows.numpy().tolist() == [3, 1, 7]
    for of in (one, other):
        np.testing.assert_allclose(dense_of(merged, of), 0.5 * dense_of(updates, of), atol=1e-7)


def test_clip_is_by_the_norm_of_all_tables_together() -> None:
    updates = [update(table(), [3, 1], 0), update(table(), [0], 1)]
    gradients = [made.gradient for made in updates]
    length = float(tf.linalg.global_norm(gradients))
    for norm in (length / 3, length * 1.01):
        expected, _ = tf.clip_by_global_norm(gradients, norm)
        for made, wanted, old in zip(clip(updates, norm), expected, updates, strict=True):
            np.testing.assert_allclose(made.gradient, wanted, rtol=1e-5)
            assert made.table is old.table
            assert made.rows is old.rows


def test_a_gradient_of_zeros_is_left() -> None:
    nothing = Update(table(), tf.constant([1]), tf.zeros([1, DIM]))
    np.testing.assert_array_equal(clip([nothing], 1.0)[0].gradient, np.zeros((1, DIM)))


@pytest.mark.parametrize(
    "make", [lambda: SparseAdagrad(0.1), lambda: SparseAdam(0.1)], ids=["adagrad", "adam"]
)
def test_a_step_on_several_tables_is_one_step(make: Callable[[], SparseOptimizer]) -> None:
    """Each table as if it were alone; the step counts once."""
    tables, alone = [table(), table()], [table(), table()]
    together, each = make(), [make(), make()]
    together.build(tables)
    for optimizer, of in zip(each, alone, strict=True):
        optimizer.build([of])
    for step in range(3):
        rows = [[step, 5], [2, step + 9]]
        together.apply_updates([update(of, r, step) for of, r in zip(tables, rows, strict=True)])
        for optimizer, of, r in zip(each, alone, rows, strict=True):
            optimizer.apply_updates([update(of, r, step)])
    assert int(together.iterations) == 3
    for ours, theirs in zip(tables, alone, strict=True):
        np.testing.assert_array_equal(ours, theirs)


def test_tables_without_an_update_rest() -> None:
    tables = [table(), table()]
    optimizer = SparseAdam(0.1)
    optimizer.build(tables)
    optimizer.apply_updates([update(tables[1], [2], 0)])
    np.testing.assert_array_equal(tables[0], table())
    assert np.flatnonzero((tables[1].numpy() != table().numpy()).any(1)).tolist() == [2]
