import random

import numpy as np
import pyarrow as pa
import pytest

from pipelines.features.counting import count_values, merge_counts
from pipelines.features.splitting import TimeHistogram
from pipelines.features.steps import Merge, is_marked, mark


def merged(values, groups):
    """The values combined as Beam might: in groups, then the groups."""
    combiner = Merge()
    accumulators = [combiner.create_accumulator() for _ in range(groups)]
    for i, value in enumerate(values):
        accumulators[i % groups] = combiner.add_input(accumulators[i % groups], value)
    return combiner.extract_output(combiner.merge_accumulators(accumulators))


@pytest.mark.parametrize("groups", [1, 2, 7])
@pytest.mark.parametrize("distinct", [5, 10**9])
def test_counts_are_exact_however_they_are_combined(groups, distinct):
    draw = np.random.default_rng(0)
    blocks = [[b"%d" % value for value in draw.integers(0, distinct, 40)] for _ in range(100)]
    tables = [count_values(pa.array(block, pa.binary())) for block in blocks]
    expected = merge_counts([count_values(pa.array([v for block in blocks for v in block], pa.binary()))])
    random.Random(1).shuffle(tables)
    found = merged(tables, groups)
    assert sorted(found.to_pylist(), key=str) == sorted(expected.to_pylist(), key=str)


def test_summaries_and_histograms():
    assert sorted(merged([[i] for i in range(50)], 3)) == list(range(50))
    histograms = [TimeHistogram(1, {i % 5: 1}) for i in range(50)]
    assert merged(histograms, 3) == TimeHistogram(1, dict.fromkeys(range(5), 10))


def test_a_mark_holds_while_its_files_are_there(tmp_path):
    done = tmp_path / "work"
    assert not is_marked(done, "x", tmp_path)
    mark(done, "nothing")
    assert is_marked(done, "nothing", tmp_path)
    mark(done, "x", ["a b", "c"])
    (tmp_path / "a b").touch()
    assert not is_marked(done, "x", tmp_path)
    (tmp_path / "c").touch()
    assert is_marked(done, "x", tmp_path)
