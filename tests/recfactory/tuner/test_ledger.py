"""The ledger: whatever is cut off, the same search goes on; what cannot be gone on with is refused."""

import json
import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import numpy as np
import pytest

from recfactory.errors import UserError
from recfactory.search.candidates import Paths
from recfactory.search.evolution import RegularisedEvolution
from recfactory.search.front import finalists
from recfactory.search.listed import Listed
from recfactory.search.objectives import Objective
from recfactory.search.rehearsal import TINY
from recfactory.search.shots import one_shot
from recfactory.search.stages import Stage, Stages
from recfactory.search.trial import ALONE, FIRST, Suggestion
from recfactory.space import Space
from recfactory.tuner.ledger import Ledger

SPACE = Space(2, 3, blocks=2, dense_dims=(4, 8, 16), sparse_dims=(2, 4), embedding_dim=4, merger_tokens=2)
ABOUT = {"space": SPACE.to_dict(), "seed": 0, "max_trials": 20, "context": {"features": "abc"}}
TRIALS, ALONES = 20, 3


def make(seed=0):
    options = {"candidates": Paths(SPACE), "objectives": (Objective("loss"),), "seed": seed}

    def alone(trials):
        return Listed(
            [t.row for t in finalists(trials, options["objectives"], (), ALONES)], stage=ALONE, **options
        )

    first = Stage(FIRST, TRIALS, lambda _: RegularisedEvolution(population=6, trials=TRIALS, **options))
    return Stages([first, Stage(ALONE, ALONES, alone)])


def run(ledger, trials=100):
    """Goes on with a search of one worker; every seventh trial fails."""
    for _ in range(trials):
        entry = next(iter(ledger.running.values()), None) or ledger.suggest("one")
        if entry is None:
            return
        if entry.number % 7 == 3:
            ledger.fail(entry.number, "too wide", 0.5)
        else:
            ledger.finish(
                entry.number, {"loss": float(np.sin(np.dot(entry.row, range(len(entry.row)))))}, 0.5
            )


def entries(path):
    """All that the journal tells, without times."""
    ledger = Ledger(path, ABOUT, make())
    ledger.close()
    assert ledger.over
    return [(e.number, e.row, e.stage, e.scores, e.error) for e in ledger.entries]


@pytest.fixture(scope="module")
def undisturbed(tmp_path_factory):
    path = tmp_path_factory.mktemp("undisturbed") / "journal.jsonl"
    ledger = Ledger(path, ABOUT, make())
    run(ledger)
    ledger.close()
    return path, entries(path)


def test_stages_follow_each_other(undisturbed):
    _, found = undisturbed
    assert [stage for _, _, stage, _, _ in found] == [FIRST] * TRIALS + [ALONE] * ALONES
    assert len({row for _, row, stage, _, _ in found if stage == FIRST}) == TRIALS
    assert sum(error is not None for *_, error in found) == 3


def test_goes_on_from_every_prefix_of_the_journal(undisturbed, tmp_path):
    """Cut at the end of each line, and in its middle."""
    path, expected = undisturbed
    lines = path.read_bytes().splitlines(keepends=True)
    for count in range(0, len(lines), 5):
        for torn in (b"", lines[count][: len(lines[count]) // 2]):
            cut = tmp_path / f"{count}-{len(torn)}" / "journal.jsonl"
            cut.parent.mkdir()
            cut.write_bytes(b"".join(lines[:count]) + torn)
            ledger = Ledger(cut, ABOUT, make())
            run(ledger)
            ledger.close()
            assert entries(cut) == expected
            assert cut.read_bytes() == path.read_bytes()


KILLED = """
import sys
sys.path.insert(0, sys.argv[1])
from test_ledger import ABOUT, Ledger, Path, make, run
ledger = Ledger(Path(sys.argv[2]), ABOUT, make())
print("open", flush=True)
run(ledger)
"""


def test_kill_9_at_random_moments(undisturbed, tmp_path):
    path, (_, expected) = tmp_path / "journal.jsonl", undisturbed
    rng, kills = np.random.default_rng(0), 0
    for _ in range(40):
        process = subprocess.Popen(
            [sys.executable, "-c", KILLED, str(Path(__file__).parent), str(path)], stdout=subprocess.PIPE
        )
        process.stdout.readline()
        if kills < 4:
            # Wait until it has written something, and a moment more.
            size = path.stat().st_size
            while path.stat().st_size == size and process.poll() is None:
                time.sleep(0.001)
            time.sleep(rng.random() * 0.01)
        else:
            process.wait()
        process.send_signal(signal.SIGKILL)
        kills += process.wait() == -signal.SIGKILL
        process.stdout.close()
        if process.returncode == 0:
            break
    assert kills >= 3
    assert entries(path) == expected


def test_a_running_trial_keeps_its_number(tmp_path):
    ledger = Ledger(tmp_path / "journal.jsonl", ABOUT, make())
    run(ledger, 4)
    entry = ledger.suggest("one")
    ledger.close()
    again = Ledger(tmp_path / "journal.jsonl", ABOUT, make())
    assert list(again.running.values()) == [entry]
    again.close()


@pytest.mark.parametrize(
    ("change", "sentence"),
    [
        ({"seed": 1}, "seed 0, not 1"),
        ({"max_trials": 30}, "max_trials 20, not 30"),
        ({"space": {**ABOUT["space"], "blocks": 3}}, "space: blocks 2, not 3"),
        ({"context": {"features": "xyz"}}, "features abc, not xyz"),
        ({"population": 5}, "population left out, not 5"),
    ],
)
def test_what_changed_is_named(change, sentence, undisturbed, tmp_path):
    path = tmp_path / "journal.jsonl"
    path.write_bytes(undisturbed[0].read_bytes())
    with pytest.raises(UserError, match=f"journal.jsonl' is of another search: {sentence}; .*overwrite"):
        Ledger(path, ABOUT | change, make())
    assert path.read_bytes() == undisturbed[0].read_bytes()
    Ledger(path, ABOUT, make()).close()


def test_a_reader_need_not_know_the_context(undisturbed, tmp_path):
    path = tmp_path / "journal.jsonl"
    path.write_bytes(undisturbed[0].read_bytes())
    ledger = Ledger(path, ABOUT | {"context": {}}, make())
    with pytest.raises(UserError, match="features abc, not xyz"):
        ledger.check(ABOUT | {"context": {"features": "xyz"}})
    ledger.close()


def test_another_version_of_the_sampler_is_refused(undisturbed, tmp_path):
    path = tmp_path / "journal.jsonl"
    path.write_bytes(undisturbed[0].read_bytes())
    with pytest.raises(UserError, match="line 2: this version of the search suggests another trial"):
        Ledger(path, ABOUT, make(seed=5))


@pytest.mark.parametrize(
    "line", [b'{"kind": "ended", "trial": 0}\n', b'{"kind": "finished", "trial": 99}\n', b"{}\n", b"?\n"]
)
def test_damage_is_a_sentence(line, undisturbed, tmp_path):
    path = tmp_path / "journal.jsonl"
    path.write_bytes(undisturbed[0].read_bytes() + line)
    with pytest.raises(UserError, match=r"damaged in line \d+"):
        Ledger(path, ABOUT, make())


def test_one_process_at_a_time(tmp_path):
    ledger = Ledger(tmp_path / "journal.jsonl", ABOUT, make())
    with pytest.raises(UserError, match="being written by another process"):
        Ledger(tmp_path / "journal.jsonl", ABOUT, make())
    ledger.close()
    Ledger(tmp_path / "journal.jsonl", ABOUT, make()).close()


def test_nothing_is_acknowledged_before_it_is_written(tmp_path, monkeypatch):
    """What a disk refuses to take was neither handed out nor learned."""
    ledger = Ledger(tmp_path / "journal.jsonl", ABOUT, make())
    entry = ledger.suggest("one")
    with monkeypatch.context() as patch:
        patch.setattr(os, "fsync", lambda _: (_ for _ in ()).throw(OSError("disk full")))
        with pytest.raises(OSError, match="disk full"):
            ledger.finish(entry.number, {"loss": 1.0}, 0.0)
    assert entry.running
    ledger.close()


class Silent:
    done = False

    def suggest(self, count=1):
        return []


def test_a_sampler_that_is_stuck_is_told(tmp_path):
    ledger = Ledger(tmp_path / "journal.jsonl", ABOUT, Silent())
    with pytest.raises(UserError, match="Silent suggests nothing though no trial is running"):
        ledger.suggest("one")
    ledger.close()


def test_journal_is_lines_of_json(undisturbed):
    records = [json.loads(line) for line in undisturbed[0].read_text().splitlines()]
    assert records[0] == {
        "kind": "search",
        "about": ABOUT | {"space": json.loads(json.dumps(ABOUT["space"]))},
    }
    assert {record["kind"] for record in records[1:]} == {"suggested", "finished", "failed"}
    assert Suggestion(tuple(records[1]["row"]), records[1]["stage"]).stage == FIRST


def test_a_stage_that_runs_out_of_candidates_while_a_trial_runs_is_replayed(tmp_path):
    """Another worker asks in vain meanwhile, of which nothing is written."""

    def opened():
        sampler = one_shot(RegularisedEvolution, Paths(TINY), (Objective("loss"),), trials=1000, finalists=2)
        return Ledger(tmp_path / "journal.jsonl", ABOUT, sampler)

    ledger = opened()
    while (entry := ledger.suggest("one")) is not None:
        last = entry.number
        if entry.number:
            ledger.finish(entry.number - 1, {"loss": float(entry.number)}, 1.0)
    assert ledger.suggest("other") is None
    ledger.finish(last, {"loss": 0.5}, 1.0)
    assert ledger.suggest("one").stage == "alone"
    ledger.close()
    again = opened()
    assert again.entries == ledger.entries
    assert again.suggest("one").stage == "alone"
    assert again.suggest("one") is None
    again.close()
