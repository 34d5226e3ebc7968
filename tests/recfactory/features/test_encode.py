import math

import numpy as np
import pyarrow as pa
import pytest
import tensorflow as tf

from recfactory.features.encode import Encoder, hash_buckets
from recfactory.features.graph import MISSING, Preprocessor
from recfactory.features.spec import FeatureSpec
from recfactory.schema.columns import Categorical, Dense, Label, Schema

SCHEMA = Schema(
    "s",
    Label("click"),
    dense=(
        Dense("plain"),
        Dense("logged", "log"),
        Dense("scaled", "standardize"),
        Dense("flat", "standardize"),
    ),
    categorical=(
        Categorical("city"),
        Categorical("user", encoding="hash", buckets=1000),
        Categorical("tags", separator="|", max_values=5, oov_buckets=10),
        Categorical("words", encoding="hash", buckets=5, separator=" ", max_values=2),
        Categorical("empty"),
    ),
)
SPEC = FeatureSpec(
    SCHEMA,
    {"city": (b"paris", b"rome", b"\xff"), "tags": (b"x", b"y"), "empty": ()},
    {
        "dense": {"scaled": {"mean": 10.0, "std": 4.0}, "flat": {"mean": 3.0, "std": 0.0}},
        "categorical": {"tags": {"slots": 3}, "words": {"slots": 2}},
    },
)


def batch(**columns):
    kinds = {"tags": pa.list_(pa.binary()), "words": pa.list_(pa.binary())}
    kinds |= dict.fromkeys(("city", "user", "empty"), pa.binary())
    rows = len(next(iter(columns.values())))
    names = [*SCHEMA.features, "label"]
    return pa.RecordBatch.from_pydict(
        {name: pa.array(columns.get(name, [None] * rows), kinds.get(name, pa.float32())) for name in names}
    )


def encode(**columns):
    columns.setdefault("label", [0.0] * len(next(iter(columns.values()))))
    return Encoder(SPEC).encode(batch(**columns))


def bucket(value, buckets):
    return int(tf.strings.to_hash_bucket_fast(value, buckets))


def test_dense():
    numbers = encode(
        plain=[1.5, None, -2.0],
        logged=[math.e - 1, None, -5.0],
        scaled=[14.0, None, 8.0],
        flat=[3.0, None, 5.0],
    ).dense
    assert numbers.dtype == np.float32
    np.testing.assert_array_equal(numbers, np.float32([[1.5, 1, 1, 0], [0, 0, 0, 0], [-2, 0, -0.5, 2]]))


def test_categorical():
    ids = encode(
        city=[None, b"unseen", b"paris", b"\xff"],
        user=[None, b"", b"u1", b"u2"],
        tags=[None, [], [b"y", b"?", b"x", b"x"], [b"x"]],
        words=[[b"w"], None, [], [b"v", b"w", b"u"]],
        empty=[None, b"", b"a", None],
    ).ids
    assert ids.dtype == np.int32
    # city is rows 0-4 of the table, user 5-1005, tags 1006-1018, words 1019-1024, empty 1025-1026.
    np.testing.assert_array_equal(ids[:, 0], [0, 1, 2, 4])
    user = [5, *(6 + bucket(value, 1000) for value in (b"", b"u1", b"u2"))]
    np.testing.assert_array_equal(ids[:, 1], user)
    other = 1007 + bucket(b"?", 10)
    np.testing.assert_array_equal(
        ids[:, 2:5], [[1006] * 3, [1006] * 3, [1018, other, 1017], [1017, 1006, 1006]]
    )
    v, w = (1020 + bucket(value, 5) for value in (b"v", b"w"))
    np.testing.assert_array_equal(ids[:, 5:7], [[w, 1019], [1019] * 2, [1019] * 2, [v, w]])
    np.testing.assert_array_equal(ids[:, 7], [1025, 1026, 1026, 1025])
    assert SPEC.layout.table_rows == 1027


def test_label_weight_and_truth():
    encoded = encode(label=[1.0, 0.0])
    assert encoded.label.tolist() == [1.0, 0.0]
    assert encoded.weight.tolist() == [1.0, 1.0]
    assert encoded.truth is None
    schema = Schema("s", Label("y"), dense=(Dense("x"),), weight="w", truth="p")
    columns = {"x": [1.0], "label": [1.0], "weight": [2.5], "truth": [0.25]}
    rows = pa.RecordBatch.from_pydict(
        {name: pa.array(values, pa.float32()) for name, values in columns.items()}
    )
    encoded = Encoder(FeatureSpec(schema, {}, {"dense": {}, "categorical": {}})).encode(rows)
    assert (encoded.weight.tolist(), encoded.truth.tolist(), encoded.ids.shape) == ([2.5], [0.25], (1, 0))


def test_no_rows_and_parts_of_batches():
    encoded = encode(label=[])
    assert (encoded.dense.shape, encoded.ids.shape) == ((0, 4), (0, 8))
    rows = random_rows(50, 1)
    whole, part = Encoder(SPEC).encode(rows), Encoder(SPEC).encode(rows.slice(20, 15))
    np.testing.assert_array_equal(part.ids, whole.ids[20:35])
    np.testing.assert_array_equal(part.dense, whole.dense[20:35])


@pytest.mark.parametrize("buckets", [1, 7, 1 << 40])
def test_buckets_are_tensorflows(buckets):
    values = [b"a", b"", b"\xff\x00", b"a" * 1000, None]
    expected = [bucket(value or b"", buckets) for value in values]
    assert hash_buckets(pa.array(values, pa.binary()), buckets).tolist() == expected


def random_rows(count, seed):
    draw = np.random.default_rng(seed)

    def words(known, size):
        return [draw.choice([*known, b"new%d" % draw.integers(0, 200)]) for _ in range(size)]

    def single(known):
        return [None if draw.random() < 0.2 else words(known, 1)[0] for _ in range(count)]

    def several(known):
        return [None if draw.random() < 0.1 else words(known, draw.integers(0, 7)) for _ in range(count)]

    def floats():
        values = draw.normal(0, 1, count) * 10.0 ** draw.integers(-20, 20, count)
        return [None if draw.random() < 0.2 else float(np.float32(value)) for value in values]

    return batch(
        **{column.name: floats() for column in SCHEMA.dense},
        city=single([b"paris", b"rome", b"\xff"]),
        user=single([b"u1", b"u2"]),
        tags=several([b"x", b"y"]),
        words=several([b"x", b"y"]),
        empty=single([b"a"]),
        label=draw.integers(0, 2, count).tolist(),
    )


def test_it_equals_the_graph_on_random_rows(tmp_path):
    rows = random_rows(1000, 0)
    values = rows.to_pydict()
    columns = {
        column.name: tf.constant([[MISSING if x is None else x] for x in values[column.name]], tf.float32)
        for column in SCHEMA.dense
    }
    for column in SCHEMA.categorical:
        lists = [(value or []) if column.multivalued else [value or b""] for value in values[column.name]]
        columns[column.name] = tf.ragged.constant(lists, dtype=tf.string).to_tensor("")
    encoded = Preprocessor(SPEC, tmp_path).from_columns(columns)
    expected = Encoder(SPEC).encode(rows)
    np.testing.assert_array_equal(encoded["ids"], expected.ids)
    np.testing.assert_allclose(encoded["numbers"], expected.dense, rtol=1e-6, atol=0)
