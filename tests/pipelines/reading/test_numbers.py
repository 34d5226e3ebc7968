import datetime as dt
import math

import pyarrow as pa
import pytest
from hypothesis import given
from hypothesis import strategies as st

from pipelines.reading.numbers import to_numbers


def read(values, kind=None, times=False):
    numbers, bad = to_numbers(pa.array(values, kind), times)
    assert bad.null_count == 0
    return ["bad" if wrong else x for x, wrong in zip(numbers.to_pylist(), bad.to_pylist(), strict=True)]


def test_texts():
    values = [b"1", b"-2.5", b"+3e2", b".5", b"7.", None]
    assert read(values, pa.binary()) == [1.0, -2.5, 300.0, 0.5, 7.0, None]


MISSING = [b"NULL", b"null", b"NA", b"NaN", b"nan", b"NAN", b"-nan", b"None", b"\\N", b" ", None]
BAD = [
    b"x",
    b"1,5",
    b"0x10",
    b"1_000",
    b"--1",
    b"inf",
    b"-Infinity",
    b"1e999",
    b"\xff",
    b"12abc",
    b"2020-01-01",
]


@pytest.mark.parametrize("times", [False, True])
def test_missing_words(times):
    assert read(MISSING, pa.binary(), times) == [None] * len(MISSING)


@pytest.mark.parametrize("value", BAD)
def test_one_bad_value_spoils_no_other(value):
    assert read([b" 1 ", value, b"NA", b"2"], pa.binary()) == [1.0, "bad", None, 2.0]


@pytest.mark.parametrize("value", [value for value in (*BAD, *MISSING) if value])
def test_a_value_means_the_same_whatever_stands_beside_it(value):
    assert read([value], pa.binary()) == read([value, b"x"], pa.binary())[:1]
    assert read([value], pa.binary()) == read([value, b"1"], pa.binary())[:1]


@given(st.lists(st.floats(allow_nan=False, allow_infinity=False) | st.none()))
def test_numbers_survive_their_text(values):
    texts = [None if value is None else repr(value).encode() for value in values]
    assert read(texts, pa.binary()) == values
    assert read([*texts, b"x"], pa.binary()) == [*values, "bad"]


def test_other_types():
    assert read([1, None], pa.int32()) == [1.0, None]
    assert read([1.5, math.nan, math.inf], pa.float32()) == [1.5, None, "bad"]
    assert read([True, False, None], pa.bool_()) == [1.0, 0.0, None]
    assert read([None], pa.null()) == [None]
    assert read(["3", None], pa.large_string()) == [3.0, None]
    assert read([2**63], pa.uint64()) == [float(2**63)]
    assert read([dt.date(1970, 1, 2)], pa.date32()) == [86400.0]
    assert read([1], pa.timestamp("ns")) == [0.0]
    zone = dt.timezone(dt.timedelta(hours=2))
    assert read([dt.datetime(1970, 1, 1, 2, 0, 5, tzinfo=zone)], pa.timestamp("ms", "Europe/Paris")) == [5.0]


def test_dates_as_text():
    values = [b"1970-01-02", b"1970-01-01 00:01", b"1970-01-01T00:00:01.5", None, b"NA"]
    assert read(values, pa.binary(), times=True) == [86400.0, 60.0, 1.5, None, None]
    assert read(values, pa.binary()) == ["bad", "bad", "bad", None, None]


def test_dates_in_other_time_zones_or_beside_numbers_and_nonsense():
    values = [
        b"1970-01-01T00:00:01Z",
        b"1970-01-01 02:00:03+02:00",
        b"1970-01-02",
        b"77",
        b"soon",
        b"",
        b"2021-13-01",
    ]
    assert read(values, pa.binary(), times=True) == [1.0, 3.0, 86400.0, 77.0, "bad", None, "bad"]
