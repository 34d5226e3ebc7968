"""`recfactory search`, killed again and again."""

import json
import os
import signal
import subprocess
import sys
import time

import pytest

from recfactory.cli import main

SETTINGS = (
    "trials=12",
    "finalists=2",
    "again=2",
    "sizes={blocks: 2, dense_dims: [8, 16], sparse_dims: [4], embedding_dim: 4}",
    "shot={epochs: 2, batch_size: 500}",
    "final=[{epochs: 2, batch_size: 500}]",
    "mining={initial: 50, steps: 50}",
    "farthest={size: 20}",
)
WHEN = (
    "search.json",
    "plan.json",
    "supernet/first/*",
    "journal.jsonl:4",
    "chosen.json",
    "supernet/second/*",
    "journal.jsonl:20",
    "alone/12/0/recipe.json",
    "alone/13/0/model.keras",
)
"""Files, or numbers of lines in one, at whose first sight the search is killed."""


@pytest.fixture(scope="module")
def features(tmp_path_factory):
    folder = tmp_path_factory.mktemp("features") / "features"
    assert main(["features", "--data", "synthetic:rows=4000,seed=1", "--out", str(folder)]) == 0
    return folder


def command(features, out):
    settings = [part for text in SETTINGS for part in ("--set", text)]
    arguments = ["search", "--features", features, "--out", out, "--space", "small", "--seed", "0", *settings]
    return [sys.executable, "-m", "recfactory", *map(str, arguments)]


def is_there(out, what):
    name, _, lines = what.partition(":")
    found = list(out.glob(name))
    return bool(found) and (not lines or found[0].read_bytes().count(b"\n") >= int(lines))


def kill_at(features, out, what):
    process = subprocess.Popen(command(features, out), stderr=subprocess.DEVNULL, start_new_session=True)
    while not is_there(out, what) and process.poll() is None:
        time.sleep(0.002)
    assert process.poll() is None, f"it ended before {what}"
    os.killpg(process.pid, signal.SIGKILL)
    process.wait()


def trials(out):
    records = [json.loads(line) for line in (out / "journal.jsonl").read_text().splitlines()]
    return [
        {name: value for name, value in record.items() if name not in ("seconds", "cpu_seconds")}
        for record in records
    ]


@pytest.mark.slow
def test_a_search_that_was_killed_finds_what_an_undisturbed_one_finds(features, tmp_path):
    whole, killed = tmp_path / "whole", tmp_path / "killed"
    subprocess.run(command(features, whole), check=True)
    for what in WHEN:
        kill_at(features, killed, what)
    subprocess.run(command(features, killed), check=True)
    assert trials(killed) == trials(whole)
    assert (killed / "best.json").read_bytes() == (whole / "best.json").read_bytes()
    assert not list(killed.rglob(".partial-*"))
