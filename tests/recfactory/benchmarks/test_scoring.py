"""What the scoring benchmark says, and that both ways score the same candidates."""

import json

import pytest

from recfactory.benchmarks import scoring

TINY = {"blocks": 2, "dense_dims": (8, 16), "sparse_dims": (4, 8), "embedding_dim": 4, "merger_tokens": 2}


def seconds(start, fit, evaluate):
    return {"start": start, "fit": fit, "evaluate": evaluate}


def test_parts_are_scaled_by_their_shares_but_for_the_start():
    rows = [
        {"ours": seconds(0.0, 1.0, 2.0), "nasrec": seconds(5.0, 3.0, 20.0)},
        {"ours": seconds(0.0, 3.0, 2.0), "nasrec": seconds(7.0, 5.0, 40.0)},
    ]
    found = scoring.summarise(rows, 0.5, 0.1)
    assert found["ours"]["fit"] == pytest.approx(4.0)
    assert found["ours"]["measured"] == pytest.approx(seconds(0.0, 2.0, 2.0))
    assert found["ours"]["cpu_seconds_per_candidate"] == pytest.approx(24.0)
    assert found["nasrec"]["cpu_seconds_per_candidate"] == pytest.approx(6.0 + 8.0 + 300.0)
    assert found["ratio"] == pytest.approx(314.0 / 24.0)
    assert found["ratios"] == pytest.approx([211.0 / 22.0, 417.0 / 26.0])


def test_both_ways_are_measured():
    said = []
    found = scoring.bench_scoring(said.append, paths=1, steps=2, batches=1, ids=20, presets=["full"], **TINY)
    assert found["run"] == {"fit": 1024, "evaluate": 8192}
    assert found["examples"] == {"fit": 256_000, "evaluate": 1_228_800}
    for way in ("ours", "nasrec"):
        assert all(value > 0 for value in found["full"][way]["measured"].values())
    assert found["full"]["ratio"] == pytest.approx(found["full"]["ratios"][0])
    assert [line.strip()[:9] for line in said] == ["full:", "candidate"]
    json.dumps(found)
