"""The fused embedding against a loop over fields, rows and slots."""

import keras
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from recfactory.features.layout import Layout, make_layout
from recfactory.models.embedding import FusedEmbedding, layout_config, layout_from_config

MIXED = make_layout((), [("a", 1, 5), ("m", 3, 7), ("b", 1, 4), ("n", 2, 3)])
SINGLE = make_layout((), [("a", 1, 5), ("b", 1, 4)])


def pooled_by_hand(table: np.ndarray, layout: Layout, ids: np.ndarray) -> np.ndarray:
    result = np.zeros((len(ids), len(layout.fields), table.shape[1]))
    for row, slots in enumerate(ids):
        for number, field in enumerate(layout.fields):
            values = slots[field.start : field.start + field.slots]
            present = [value for value in values if value != field.offset] or [field.offset]
            result[row, number] = np.mean([table[value] for value in present], axis=0)
    return result


def random_ids(layout: Layout, rows: int, seed: int) -> np.ndarray:
    random = np.random.default_rng(seed)
    columns = [random.integers(f.offset, f.offset + f.size, (rows, f.slots)) for f in layout.fields]
    return np.concatenate(columns, axis=1).astype(np.int32)


@settings(max_examples=25)
@given(
    sizes=st.lists(st.tuples(st.integers(1, 4), st.integers(1, 4)), min_size=1, max_size=4),
    rows=st.integers(1, 6),
    seed=st.integers(0, 99),
)
def test_equals_the_loop(sizes: list[tuple[int, int]], rows: int, seed: int) -> None:
    layout = make_layout((), [(f"c{i}", slots, size) for i, (slots, size) in enumerate(sizes)])
    embedding = FusedEmbedding(layout, 3)
    ids = random_ids(layout, rows, seed)
    got = embedding(ids)
    np.testing.assert_allclose(got, pooled_by_hand(embedding.table.numpy(), layout, ids), atol=1e-6)


def test_golden_mean_skips_missing_and_unused_slots() -> None:
    embedding = FusedEmbedding(make_layout((), [("m", 3, 4)]), 2)
    embedding.build()
    embedding.table.assign([[9.0, 9.0], [1.0, 0.0], [3.0, 4.0], [5.0, 8.0]])
    got = embedding(np.array([[1, 2, 0], [3, 0, 0], [0, 0, 0]], np.int32))
    np.testing.assert_allclose(got[:, 0], [[2.0, 2.0], [5.0, 8.0], [9.0, 9.0]])


def test_single_valued_columns_are_looked_up_only() -> None:
    embedding = FusedEmbedding(SINGLE, 4)
    ids = np.array([[0, 5], [4, 8]], np.int32)
    np.testing.assert_array_equal(embedding(ids), embedding.table.numpy()[ids])


def test_no_categorical_column() -> None:
    embedding = FusedEmbedding(make_layout(("x",), []), 4)
    assert embedding(np.zeros((3, 0), np.int32)).shape == (3, 0, 4)


@pytest.mark.parametrize("layout", [MIXED, SINGLE])
def test_config_round_trip(layout: Layout) -> None:
    assert layout_from_config(layout_config(layout)) == layout
    again = keras.saving.deserialize_keras_object(
        keras.saving.serialize_keras_object(FusedEmbedding(layout, 5))
    )
    assert (again.layout, again.dim) == (layout, 5)
    assert again.compute_output_shape((None, layout.slots)) == (None, len(layout.fields), 5)
