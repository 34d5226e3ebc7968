import hashlib
import subprocess
import sys

import numpy as np
import pyarrow as pa
import tensorflow as tf

from pipelines.features.examples import to_examples


def batch(rows, seed=0):
    draw = np.random.default_rng(seed)
    return pa.RecordBatch.from_pydict(
        {
            "price": pa.array(draw.normal(size=rows), pa.float32(), mask=draw.random(rows) < 0.2),
            "user id": pa.array(
                [b"u%d" % i for i in draw.integers(0, 50, rows)], mask=draw.random(rows) < 0.2
            ),
            "tags": pa.array(
                [[b"t" * int(k) for k in draw.integers(1, 300, n)] for n in draw.integers(0, 4, rows)],
                pa.list_(pa.binary()),
                mask=draw.random(rows) < 0.1,
            ),
            "a/b": pa.array([b"\xff\x00\n"] * rows, pa.binary()),
            "label": pa.array(draw.integers(0, 2, rows), pa.float32()),
            "timestamp": pa.array(draw.integers(-5, 2**62, rows), pa.int64()),
        }
    )


def parsed(serialized):
    example = tf.train.Example.FromString(serialized)
    return {
        name: list(getattr(feature, feature.WhichOneof("kind")).value)
        for name, feature in example.features.feature.items()
    }


def expected(row):
    values = {name: value if isinstance(value, list) else [value] for name, value in row.items()}
    return {name: value for name, value in values.items() if value not in ([], [None])}


def test_the_examples_hold_the_rows():
    rows = batch(500)
    examples = to_examples(rows)
    assert [parsed(example) for example in examples.to_pylist()] == [
        expected(row) for row in rows.to_pylist()
    ]


def test_values_of_any_length():
    lengths = [0, 1, *range(90, 130), *range(16_340, 16_390), 2_097_100, 2_097_151, 3_000_000]
    rows = pa.RecordBatch.from_pydict({"x": pa.array([b"v" * length for length in lengths], pa.binary())})
    assert [len(parsed(example)["x"][0]) for example in to_examples(rows).to_pylist()] == lengths


def test_slices_and_empty_batches():
    rows = batch(50)
    assert to_examples(rows.slice(10, 20)).to_pylist() == to_examples(rows).to_pylist()[10:30]
    assert len(to_examples(rows.slice(0, 0))) == 0


def test_rows_that_miss_everything():
    rows = pa.RecordBatch.from_pydict(
        {"x": pa.array([None, 1.0], pa.float32()), "m": pa.array([None, []], pa.list_(pa.binary()))}
    )
    assert [parsed(example) for example in to_examples(rows).to_pylist()] == [{}, {"x": [1.0]}]


def digest():
    return hashlib.sha256(b"".join(to_examples(batch(300)).to_pylist())).hexdigest()


def test_another_process_writes_the_same_bytes():
    code = f"import runpy; print(runpy.run_path({__file__!r})['digest']())"
    other = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert other.stdout.split()[-1] == digest()
    assert digest() == digest()
