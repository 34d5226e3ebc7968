import numpy as np
import pyarrow as pa
import pytest

from pipelines.reading.blocks import Block
from pipelines.reading.rows import validate
from pipelines.reading.text import Rejected
from recfactory.errors import UserError
from recfactory.schema.columns import Categorical, Dense, Label, Schema, Split


def block(rejected=(), **columns):
    arrays = {
        name: values if isinstance(values, pa.Array) else pa.array(values, pa.binary())
        for name, values in columns.items()
    }
    rows = len(next(iter(arrays.values())))
    return Block("00000-000000", pa.table(arrays), np.arange(10, 10 + rows), list(rejected))


def plain(**more):
    return Schema("s", Label("click"), dense=(Dense("x"),), categorical=(Categorical("c"),), **more)


def columns(rows):
    return {name: rows.batch.column(name).to_pylist() for name in rows.batch.schema.names}


def test_good_rows():
    rows = validate(block(click=[b"1", b"0"], x=[b"2.5", None], c=[b"a", None]), plain())
    assert columns(rows) == {"x": [2.5, None], "c": [b"a", None], "label": [1.0, 0.0]}
    assert rows.batch.schema.types == [pa.float32(), pa.binary(), pa.float32()]
    assert rows.lines.tolist() == [10, 11]
    assert rows.rejected == []


REASONS = [
    ({"click": b"x"}, "column 'click' is not a number", "x"),
    ({"click": None}, "label 'click' is missing", "None"),
    ({"click": b"NA"}, "label 'click' is missing", "NA"),
    ({"click": b"2"}, "label 'click' is neither 0 nor 1", "2"),
    ({"click": b"inf"}, "column 'click' is not a number", "inf"),
    ({"x": b"12abc"}, "column 'x' is not a number", "12abc"),
    ({"x": b"inf"}, "column 'x' is not a number", "inf"),
    ({"x": b"\xff"}, "column 'x' is not a number", "\ufffd"),
    ({"x": b"-1e39"}, "column 'x' is beyond float32", "-1e39"),
    ({"w": b"-1"}, "weight 'w' is missing or negative", "-1"),
    ({"w": None}, "weight 'w' is missing or negative", "None"),
    ({"w": b"1e39"}, "column 'w' is beyond float32", "1e39"),
    ({"p": b"1e39"}, "column 'p' is beyond float32", "1e39"),
    ({"t": None}, "timestamp 't' is missing", "None"),
    ({"t": b"soon"}, "column 't' is not a number", "soon"),
    ({"t": b"inf"}, "column 't' is not a number", "inf"),
    ({"t": b"1e300"}, "timestamp 't' is out of range", "1e300"),
    ({"click": b"x", "x": b"y"}, "column 'x' is not a number", "y"),
]  # fmt: skip


@pytest.mark.parametrize(("wrong", "reason", "text"), REASONS)
def test_bad_rows_are_told_by_line_and_reason(wrong, reason, text):
    schema = plain(weight="w", timestamp="t", truth="p")
    good = {"click": b"1", "x": b"1", "c": b"a", "w": b"1", "t": b"5.5", "p": b"0.5"}
    rows = validate(block(**{name: [good[name], wrong.get(name, good[name])] for name in good}), schema)
    assert rows.rejected == [Rejected(11, reason, text)]
    assert rows.lines.tolist() == [10]
    assert columns(rows) == {
        "x": [1.0], "c": [b"a"], "label": [1.0], "weight": [1.0], "truth": [0.5], "timestamp": [5]
    }  # fmt: skip


def test_rejected_lines_of_the_reader_are_kept_in_order():
    early, late = Rejected(3, "short", ""), Rejected(30, "short", "")
    rows = validate(block([early, late], click=[b"?", b"1"], x=[b"1", b"1"], c=[b"a", b"a"]), plain())
    assert [row.line for row in rows.rejected] == [3, 10, 30]


def test_all_rows_rejected():
    rows = validate(block(click=[b"?", b"?"], x=[b"1", b"1"], c=[b"a", b"a"]), plain(split=Split(column="c")))
    assert len(rows.batch) == len(rows.lines) == len(rows.split_value) == 0
    assert len(rows.rejected) == 2


@pytest.mark.parametrize(
    ("rule", "clicks"),
    [("> 3", [0, 0, 1]), (">= 3", [0, 1, 1]), ("< 3", [1, 0, 0]), ("<= 3", [1, 1, 0]), ("== 3", [0, 1, 0])],
)
def test_label_rules(rule, clicks):
    schema = Schema("s", Label("stars", rule), categorical=(Categorical("c"),))
    rows = validate(block(stars=[b"2.5", b"3", b"4"], c=[b"a"] * 3), schema)
    assert columns(rows)["label"] == clicks


def test_label_types_of_parquet():
    schema = Schema("s", Label("y"), categorical=(Categorical("c"),))
    for values in (pa.array([True, False]), pa.array([1, 0], pa.int8()), pa.array([1.0, 0.0])):
        assert columns(validate(block(y=values, c=[b"a", b"b"]), schema))["label"] == [1.0, 0.0]


LISTS = [["a", "b"], [], None, ["", "c", None]]
TEXTS = [b"a|b", b"", None, b"|c||"]


@pytest.mark.parametrize(
    "values",
    [
        pa.array(TEXTS, pa.binary()),
        pa.array(LISTS, pa.list_(pa.string())),
        pa.array(LISTS, pa.large_list(pa.large_string())),
        pa.array([["x"], *LISTS, ["y"]], pa.list_(pa.string())).slice(1, 4),
        pa.array([b"x", *TEXTS], pa.binary()).slice(1, 4),
        pa.array(LISTS, pa.list_(pa.dictionary(pa.int32(), pa.string()))),
    ],
)
def test_multivalued_columns_drop_empty_parts(values):
    schema = Schema("s", Label("y"), categorical=(Categorical("m", separator="|", max_values=2),))
    rows = validate(block(y=[b"1"] * 4, m=values), schema)
    assert [parts or [] for parts in columns(rows)["m"]] == [[b"a", b"b"], [], [], [b"c"]]
    assert rows.batch.column("m").type == pa.list_(pa.binary())


@pytest.mark.parametrize(
    ("values", "expected"),
    [
        (pa.array([12, None], pa.int64()), [b"12", None]),
        (pa.array([12.0, None]), [b"12", None]),
        (pa.array([float("nan"), 0.5]), [None, b"0.5"]),
        (pa.array(["", "\u00fc"], pa.large_string()), [None, "\u00fc".encode()]),
        (pa.array([b"\xff", None], pa.large_binary()), [b"\xff", None]),
        (pa.array([b"\xff\x00", None], pa.binary(2)), [b"\xff\x00", None]),
        (pa.array(["a", None]).dictionary_encode(), [b"a", None]),
        (pa.array([None, None]), [None, None]),
        (pa.array([True, None]), [b"true", None]),
    ],
)
def test_categories_of_parquet(values, expected):
    schema = Schema("s", Label("y"), categorical=(Categorical("c"),), slices=("c",))
    assert columns(validate(block(y=[b"1", b"0"], c=values), schema))["c"] == expected


def test_lists_where_single_values_are_expected_are_told():
    with pytest.raises(UserError, match=r"column 'c' holds lists.*multivalued"):
        validate(block(click=[b"1"], x=[b"1"], c=pa.array([["a"]])), plain())
    with pytest.raises(UserError, match="column 'x' holds lists"):
        validate(block(click=[b"1"], x=pa.array([[1.0]]), c=[b"a"]), plain())
    with pytest.raises(UserError, match="column 'c' holds struct"):
        validate(block(click=[b"1"], x=[b"1"], c=pa.array([{"a": 1}])), plain())


def test_slices_and_roles():
    schema = plain(slices=("place", "c"), split=Split(by="column", column="part"), timestamp="t", weight="w")
    values = {"click": [b"1"], "x": [None], "c": [b"a"], "place": [b""], "part": [b"test"]}
    rows = validate(block(**values, t=[b"1970-01-02 00:00:01.9"], w=[b"2"]), schema)
    assert columns(rows) == {
        "x": [None], "c": [b"a"], "place": [None], "label": [1.0], "weight": [2.0], "timestamp": [86401],
    }  # fmt: skip
    assert rows.split_value.to_pylist() == [b"test"]


def test_rows_to_be_scored_need_the_features_alone():
    schema = plain(slices=("place",), weight="w", timestamp="t", truth="p", split=Split(column="user"))
    rows = validate(block(x=[b"1", b"?"], c=[b"a", b"b"]), schema, labelled=False)
    assert columns(rows) == {"x": [1.0], "c": [b"a"]}
    assert rows.split_value is None
    assert [row.line for row in rows.rejected] == [11]
