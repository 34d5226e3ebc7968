import functools

import numpy as np
import pyarrow as pa
import pytest
from hypothesis import given
from hypothesis import strategies as st

from pipelines.features.counting import Moments, count_block, count_values, merge_counts, vocabulary
from recfactory.schema.columns import Categorical, Dense, Label, Schema

FLOATS = st.lists(st.floats(-1e6, 1e6, width=32) | st.none(), max_size=20)


@given(st.lists(FLOATS, min_size=1, max_size=5))
def test_merged_moments_are_numpys(blocks):
    merged = functools.reduce(Moments.merge, (Moments.of(pa.array(block, pa.float32())) for block in blocks))
    values = np.array([x for block in blocks for x in block if x is not None])
    report = merged.report()
    assert report["count"] == len(values)
    assert report["count"] + report["missing"] == sum(map(len, blocks))
    if len(values) == 0:
        assert report["mean"] is report["std"] is report["min"] is report["max"] is None
    else:
        np.testing.assert_allclose(report["mean"], values.mean(), rtol=1e-9, atol=1e-6)
        np.testing.assert_allclose(report["std"], values.std(), rtol=1e-6, atol=1e-4)
        assert (report["min"], report["max"]) == (values.min(), values.max())


def counts(*blocks):
    return merge_counts([count_values(pa.array(block, pa.binary())) for block in blocks])


def test_the_most_frequent_first_ties_by_bytes():
    merged = counts([b"b", b"a", None, b"c"], [b"\xff", b"c"], [b"B"])
    assert vocabulary(merged, Categorical("x")) == (b"c", b"B", b"a", b"b", b"\xff")


@pytest.mark.parametrize(
    ("min_count", "max_size", "kept"), [(1, 2, b"ca"), (2, 9, b"ca"), (3, 9, b"c"), (4, 9, b"")]
)
def test_min_count_and_max_size(min_count, max_size, kept):
    merged = counts(list(map(bytes, ([99], [99], [99], [97], [97], [98]))))
    found = vocabulary(merged, Categorical("x", min_count=min_count, max_size=max_size))
    assert b"".join(found) == kept


def test_values_with_a_line_break_are_left_out():
    assert vocabulary(counts([b"a\nb", b"a\rb"]), Categorical("x")) == (b"a\rb",)


def test_nothing_to_count():
    assert vocabulary(counts([None], []), Categorical("x")) == ()


@given(st.lists(st.lists(st.binary(max_size=2)), min_size=1, max_size=5))
def test_merging_is_exact(blocks):
    merged = counts(*blocks)
    together = counts([value for block in blocks for value in block])
    assert dict(zip(*merged.to_pydict().values(), strict=True)) == dict(
        zip(*together.to_pydict().values(), strict=True)
    )
    assert vocabulary(merged, Categorical("x")) == vocabulary(together, Categorical("x"))


def test_only_training_rows_are_counted():
    schema = Schema(
        "s", Label("y"), dense=(Dense("x"),),
        categorical=(Categorical("c"), Categorical("h", encoding="hash"), Categorical("m", separator="|")),
    )  # fmt: skip
    batch = pa.RecordBatch.from_pydict(
        {
            "x": pa.array([1.0, None, 50.0, 60.0], pa.float32()),
            "c": pa.array([b"a", None, b"secret", b"secret"], pa.binary()),
            "h": pa.array([b"a", b"b", None, None], pa.binary()),
            "m": pa.array([[b"a", b"a"], [], [b"x"] * 5, None], pa.list_(pa.binary())),
            "label": pa.array([1, 0, 1, 1], pa.float32()),
        }
    )
    summary, tables = count_block("00000-000000", batch, np.array([0, 0, 1, 2]), {"why": 3}, schema)
    assert summary.rows == {"train": 2, "valid": 1, "test": 1}
    assert summary.clicks == {"train": 1.0, "valid": 1.0, "test": 1.0}
    assert summary.rejected == {"why": 3}
    assert summary.dense == {"x": Moments(1, 1, 1.0, 0.0, 1.0, 1.0)}
    assert summary.missing == {"c": 1, "h": 0, "m": 1}
    assert summary.slots == {"m": 2}
    assert {name: table.to_pydict() for name, table in tables.items()} == {
        "c": {"value": [b"a"], "count": [1]},
        "m": {"value": [b"a"], "count": [2]},
    }
