import itertools
import time

import numpy as np
import pyarrow as pa
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from recfactory.data import SyntheticSource, best_possible, parse
from recfactory.data.synthetic import BLOCK
from recfactory.data.synthetic_truth import SIZES, planted
from recfactory.errors import UsageError
from recfactory.metrics import auc

ROWS = 40_000
SOURCE = SyntheticSource(ROWS, 1)
ALL = SOURCE.batch(0, ROWS)


def column(name):
    return ALL[name].to_numpy(zero_copy_only=False)


def test_parse():
    assert parse("synthetic:rows=200000,seed=1") == SyntheticSource(200_000, 1)
    assert parse("synthetic:") == SyntheticSource()
    assert parse("synthetic:seed=0") == SyntheticSource(seed=0)


@pytest.mark.parametrize(
    "bad", ["row=3", "rows=0", "rows=-1", "rows=1e5", "seed=x", "seed=", "rows", "seed=-1"]
)
def test_parse_refuses(bad):
    with pytest.raises(UsageError, match="synthetic:" + bad.split("=")[0]):
        parse("synthetic:" + bad)


@settings(max_examples=20)
@given(st.lists(st.integers(0, ROWS), min_size=1, max_size=4))
def test_any_cut_into_batches_gives_the_same_rows(cuts):
    edges = [0, *sorted(cuts), ROWS]
    parts = [SOURCE.batch(a, b - a) for a, b in itertools.pairwise(edges)]
    assert pa.Table.from_batches(parts).combine_chunks() == pa.Table.from_batches([ALL]).combine_chunks()


def test_batches_end_where_the_log_ends():
    assert SOURCE.batch(ROWS - 3, 10).num_rows == 3
    assert SOURCE.batch(ROWS, 10).num_rows == 0
    assert SOURCE.batch(BLOCK, 0).num_rows == 0


def test_rows_depend_on_the_seed_alone():
    # A longer log begins with the same rows; only its times lie closer together.
    longer = SyntheticSource(2 * ROWS, 1).batch(0, 100)
    assert longer.drop_columns(["timestamp"]) == ALL.slice(0, 100).drop_columns(["timestamp"])
    assert SyntheticSource(ROWS, 2).batch(0, 100) != ALL.slice(0, 100)


def test_golden_row():
    row = SyntheticSource(1000, 1).batch(0, 1).to_pylist()[0]
    golden = {
        "label": 0.0,
        "I1": 11.0,
        "I2": 303.0,
        "C1": b"74c7e68c",
        "C3": b"3b3ba02b",
        "timestamp": 1_700_000_000,
    }
    assert {name: row[name] for name in golden} == golden


def test_columns_follow_the_schema():
    schema = SOURCE.schema()
    assert set(schema.columns) == set(ALL.schema.names)
    assert (len(schema.dense), len(schema.categorical)) == (13, 26)
    types = {name: ALL.schema.field(name).type for name in ALL.schema.names}
    assert {types[c.name] for c in schema.dense} == {pa.float32()}
    assert {types[c.name] for c in schema.categorical} == {pa.binary()}
    assert (types["label"], types["truth"], types["timestamp"]) == (pa.float32(), pa.float32(), pa.int64())


def test_values_look_like_a_click_log():
    ALL.validate(full=True)
    times = column("timestamp")
    assert np.all(np.diff(times) >= 0)
    assert (times[-1] - times[0]) // 86400 == 6
    counts = np.nan_to_num(column("I5"))
    assert counts.min() == 0
    assert np.all(counts == np.floor(counts))
    assert counts.mean() > 2 * np.median(counts)
    assert ALL["I1"].null_count == pytest.approx(0.45 * ROWS, rel=0.05)
    assert ALL["C22"].null_count == pytest.approx(0.30 * ROWS, rel=0.05)
    texts = ALL["C9"].to_pylist()
    assert {len(text) for text in texts} == {8}
    _, seen = np.unique(texts, return_counts=True)
    assert len(seen) == SIZES[8] == 10
    assert seen.max() > 8 * seen.min()


@pytest.mark.parametrize("seed", [0, 1, 2])
def test_the_truth_is_worth_finding(seed):
    rows = SyntheticSource(ROWS, seed).batch(0, ROWS)
    label, truth = rows["label"].to_numpy(), rows["truth"].to_numpy()
    best = best_possible(truth, label)
    assert 0.80 < best["auc"] < 0.84
    assert 0.22 < label.mean() < 0.28
    assert label.mean() == pytest.approx(truth.mean(), abs=0.01)


def test_clicks_come_as_often_as_the_truth_says():
    label, truth = column("label"), column("truth")
    for low in np.arange(0, 1, 0.1):
        part = (truth >= low) & (truth < low + 0.1)
        deviation = (truth[part] * (1 - truth[part])).sum() ** 0.5 / part.sum()
        assert abs(label[part].mean() - truth[part].mean()) < 4 * deviation


def test_a_linear_model_stays_behind():
    effects = planted(5)
    draw = np.random.default_rng(0)
    dense = draw.standard_normal((13, ROWS), np.float32)
    ids = np.stack([np.searchsorted(shares[:-1], draw.random(ROWS)) + 1 for shares in effects.cumulative])
    linear, logit = effects.linear(dense, ids), effects.logit(dense, ids)
    label = draw.random(ROWS) < 1 / (1 + np.exp(-logit))
    assert auc(label, linear) < auc(label, logit) - 0.05
    # No single column tells anything of the interactions: they are centred under every column.
    rest = effects.interactions(dense, ids)
    for values in (*ids[[4, 5, 8, 22]],):
        means = [rest[values == value].mean() for value in (1, 2, 3)]
        assert np.abs(means).max() < 0.06


def test_speed():
    SOURCE.batch(0, 1)
    start = time.process_time()
    SOURCE.batch(0, ROWS)
    # Measured 400,000 rows/s; the machine may be busy.
    assert ROWS / (time.process_time() - start) > 100_000
