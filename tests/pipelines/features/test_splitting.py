import functools

import numpy as np
import pyarrow as pa
import pytest
from hypothesis import given
from hypothesis import strategies as st

from pipelines.features import splitting
from pipelines.features.splitting import NO_SPLIT, Splitter, TimeHistogram, split_of_file
from pipelines.reading.rows import Rows
from recfactory.errors import UserError
from recfactory.schema.columns import Split


def rows(count, split_value=None, first=1, name="00000-000000", **columns):
    values = None if split_value is None else pa.array(split_value, pa.binary())
    batch = pa.RecordBatch.from_pydict({"x": np.zeros(count), **columns})
    return Rows(name, batch, values, np.arange(first, first + count), [])


def test_one_key_is_never_on_two_sides():
    keys = [b"user%d" % (i % 300) for i in range(3000)]
    places = Splitter(Split(column="user")).assign(rows(3000, keys), "a.csv")
    alone = Splitter(Split(column="user")).assign(
        rows(3000, keys[::-1], first=7, name="00003-000001"), "b.csv"
    )
    assert (places == alone[::-1]).all()
    sides = {}
    for key, place in zip(keys, places, strict=True):
        assert sides.setdefault(key, place) == place
    assert set(sides.values()) == {0, 1, 2}


@pytest.mark.parametrize("fractions", [(0.8, 0.1, 0.1), (0.5, 0.5, 0.0), (1.0, 0.0, 0.0), (0.2, 0.3, 0.5)])
@pytest.mark.parametrize("column", [None, "user"])
def test_fractions_are_honoured(fractions, column):
    count = 100_000
    keys = [b"%d" % i for i in range(count)] if column else None
    places = Splitter(Split(column=column, fractions=fractions)).assign(rows(count, keys), "a.csv")
    shares = np.bincount(places, minlength=3) / count
    np.testing.assert_allclose(shares, fractions, atol=0.005)
    assert ((np.array(fractions) > 0) == (shares > 0)).all()


def test_a_row_keeps_its_side_whatever_the_block():
    whole = Splitter(Split()).assign(rows(1000), "a.csv")
    parts = [
        Splitter(Split()).assign(rows(100, first=1 + 100 * i, name=f"00000-{i:06d}"), "a.csv")
        for i in range(10)
    ]
    assert (np.concatenate(parts) == whole).all()
    other = Splitter(Split()).assign(rows(1000, name="00001-000000"), "a.csv")
    assert (other != whole).any()


def test_by_column():
    values = [b"train", b"val", b"valid", b"test", b"other", None, b"\xff"]
    places = Splitter(Split(by="column", column="s")).assign(rows(7, values), "a.csv")
    assert places.tolist() == [0, 1, 1, 2, NO_SPLIT, NO_SPLIT, NO_SPLIT]
    named = Split(by="column", column="s", values=(("a", "train"), ("b", "test")))
    assert Splitter(named).assign(rows(3, [b"b", b"a", b"train"]), "").tolist() == [2, 0, NO_SPLIT]
    assert Splitter(named).assign(rows(0, []), "").tolist() == []


def test_by_files():
    assert Splitter(Split(by="files")).assign(rows(2), "Valid-1.csv").tolist() == [1, 1]
    names = [
        "train.csv.gz",
        "TRAINING.csv",
        "validation.tsv",
        "val.csv",
        "test_1.parquet",
        "day1/test.csv",
        "test/part-0.csv",
    ]
    assert [split_of_file(name) for name in names] == [
        "train",
        "train",
        "valid",
        "valid",
        "test",
        "test",
        "test",
    ]
    with pytest.raises(UserError, match=r"file 'data\.csv': its name begins with none of"):
        split_of_file("data.csv")


def test_by_time_the_oldest_rows_train():
    times = np.arange(100, 200)
    histogram = TimeHistogram.of(pa.array(times))
    splitter = Splitter(Split(by="time"), histogram.boundaries((0.8, 0.1, 0.1)))
    assert splitter.boundaries == (180, 190)
    places = splitter.assign(rows(100, timestamp=times), "a.csv")
    assert places.tolist() == [0] * 80 + [1] * 10 + [2] * 10


@pytest.mark.parametrize(
    ("times", "fractions", "counts"),
    [
        ([5] * 10, (0.8, 0.1, 0.1), [10, 0, 0]),
        ([1] * 5 + [2] * 5, (0.8, 0.1, 0.1), [5, 0, 5]),
        ([1] * 4 + [2] * 3 + [3] * 3, (0.8, 0.1, 0.1), [4, 3, 3]),
        ([1] * 5 + [2] * 5, (0.8, 0.2, 0.0), [5, 5, 0]),
        ([1] * 5 + [2] * 5, (1.0, 0.0, 0.0), [10, 0, 0]),
        ([-5, -4, -3, -2], (0.5, 0.25, 0.25), [2, 1, 1]),
    ],
)
def test_few_times_leave_no_part_empty_where_that_can_be(times, fractions, counts):
    boundaries = TimeHistogram.of(pa.array(times)).boundaries(fractions)
    places = Splitter(Split(by="time"), boundaries).assign(rows(len(times), timestamp=np.array(times)), "")
    assert np.bincount(places, minlength=3).tolist() == counts


TIMES = st.lists(st.integers(-(2**40), 2**40), max_size=30)


@given(st.lists(TIMES, min_size=1, max_size=6), st.randoms())
def test_time_histograms_merge_in_any_order(blocks, random):
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(splitting, "MOST_TIMES", 8)
        histograms = [TimeHistogram.of(pa.array(block, pa.int64())) for block in blocks]
        shuffled = random.sample(histograms, len(histograms))
        merged = functools.reduce(TimeHistogram.merge, histograms)
        assert functools.reduce(TimeHistogram.merge, shuffled) == merged
        assert TimeHistogram.of(pa.array([time for block in blocks for time in block], pa.int64())) == merged
        assert sum(merged.counts.values()) == sum(map(len, blocks))
        assert len(merged.counts) <= 8


@given(TIMES.filter(len), st.integers(0, 10), st.integers(0, 10))
def test_boundaries_rise(times, valid, test):
    total = 10 + valid + test
    fractions = (10 / total, valid / total, 1 - 10 / total - valid / total)
    first, second = TimeHistogram.of(pa.array(times)).boundaries(fractions)
    assert min(times) < first <= second
