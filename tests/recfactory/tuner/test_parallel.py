"""Real processes: a chief with two workers on loopback, and what is left of them when some are killed."""

import socket
import time

import numpy as np
import pytest
from players import free_port, start
from small_search import evolution, price, told, tuner

from recfactory.tuner.loop import FIRST_WAIT, LONGEST_WAIT

__all__ = ["start"]


def journal(folder):
    """The trials of a search that has ended."""
    oracle = evolution(finalists=2)
    oracle._set_project_dir(str(folder), "search")
    found = told(oracle)
    oracle.close()
    return found


def check_whole(folder):
    """Each trial was evaluated, and in full precision."""
    found = journal(folder)
    assert [stage for _, stage, _, _ in found] == ["first"] * 20 + ["alone"] * 2
    for row, stage, scores, error in found:
        assert error is None
        assert scores["val_logloss"] == price(row) + 0.01 * (stage == "alone")


OPTIONS = {"finalists": 2, "lost_seconds": 1.0}


def test_chief_and_two_workers(start, tmp_path):
    port = free_port()
    chief = start("chief", port=port, options=OPTIONS)
    # Long enough trials that both have come before all are done.
    workers = [start(f"worker{i}", port=port, options=OPTIONS, pause=0.5) for i in range(2)]
    ran = [worker.end() for worker in workers]
    ended = time.monotonic()
    assert chief.end() == ([], None)
    assert time.monotonic() - ended < 10
    assert [error for _, error in ran] == [None, None]
    assert sorted(ran[0][0] + ran[1][0]) == [f"{i:02d}" for i in range(22)]
    assert min(len(trials) for trials, _ in ran) > 2
    check_whole(tmp_path)
    # All of them know the best, also when the chief has gone.
    assert workers[0].best == workers[1].best == chief.best
    assert chief.best["stage"] == "alone"
    assert not list(tmp_path.rglob("oracle.json")) + list(tmp_path.rglob("trial*"))


def test_keras_tuners_own_chief_and_workers(start, tmp_path):
    """Which round scores to single precision."""
    port = free_port()
    processes = [start(name, port=port, options=OPTIONS, stock=True) for name in ("chief", "worker0")]
    assert [process.end()[1] for process in processes] == [None, None]
    for row, stage, scores, _ in journal(tmp_path):
        assert scores["val_logloss"] == pytest.approx(price(row) + 0.01 * (stage == "alone"), rel=1e-6)


def test_the_trial_of_a_killed_worker_is_run_by_another(start, tmp_path):
    port = free_port()
    chief = start("chief", port=port, options=OPTIONS)
    dead = start("dead", port=port, options=OPTIONS, pause=30)
    dead.wait_for("running")
    dead.kill()
    alive = start("alive", port=port, options=OPTIONS)
    ran, error = alive.end()
    assert error is None
    assert sorted(ran) == [f"{i:02d}" for i in range(22)]
    assert chief.end()[1] is None
    check_whole(tmp_path)


@pytest.mark.slow
def test_a_long_trial_is_not_taken_away(start, tmp_path):
    """Its worker gives signs of life."""
    port, options = free_port(), {**OPTIONS, "max_trials": 6}
    chief = start("chief", port=port, options=options)
    slow = start("slow", port=port, options=options, pause=2)
    slow.wait_for("running")
    quick = start("quick", port=port, options=options)
    ran = slow.end()[0] + quick.end()[0]
    assert sorted(ran) == [str(i) for i in range(8)]
    assert chief.end()[1] is None


def test_workers_end_when_the_chief_is_killed_and_the_search_goes_on(start, tmp_path):
    port = free_port()
    chief = start("chief", port=port, options=OPTIONS)
    workers = [start(f"worker{i}", port=port, options=OPTIONS, pause=0.3) for i in range(2)]
    for worker in workers:
        worker.wait_for("running")
    chief.kill()
    killed = time.monotonic()
    for worker in workers:
        _, error = worker.end()
        assert f"chief at 127.0.0.1:{port} no longer answers; start it again" in error
    assert time.monotonic() - killed < 20
    chief = start("chief", port=port, options=OPTIONS)
    assert start("worker0", port=port, options=OPTIONS).end()[1] is None
    assert chief.end()[1] is None
    check_whole(tmp_path)


@pytest.mark.parametrize("seed", [5, 0])
def test_a_worker_of_another_search_is_turned_away(start, tmp_path, seed):
    """Such as one that was at a long trial while its chief was killed and another search begun there."""
    port, options = free_port(), {**OPTIONS, "seed": seed}
    first = start("chief", port=port, options=options)
    quick = start("quick", port=port, options=options, pause=0.1)
    for _ in range(3):  # so that the new search does not begin with the late worker's trial
        quick.wait_for("running")
        (tmp_path / "quick.running").unlink()
    late = start("late", port=port, options=options, pause=5)
    late.wait_for("running")
    first.kill()
    quick.kill()
    (tmp_path / "search" / "journal.jsonl").unlink()
    chief = start("chief", port=port, options=OPTIONS)
    ran, error = late.end()
    assert len(ran) == 1
    worker = start("worker0", port=port, options=OPTIONS)
    assert f"the chief at 127.0.0.1:{port} says: this worker is of another search" in error
    assert worker.end()[1] is None
    assert chief.end()[1] is None
    check_whole(tmp_path)


def test_failures_end_chief_and_workers_with_one_sentence(start):
    port = free_port()
    chief = start("chief", port=port, options=OPTIONS)
    worker = start("worker0", port=port, options=OPTIONS, failing=True)
    ran, error = worker.end()
    assert len(ran) == 3
    sentence = "3 trials failed one after another, the last one with: it does not work"
    assert sentence in error
    assert sentence in chief.end()[1]


def test_kill_9_at_random_moments_and_the_same_command_again(start, tmp_path):
    """One worker: the trials are those of an undisturbed search."""
    whole = tuner(tmp_path / "whole", evolution(finalists=2))
    whole.search()
    rng = np.random.default_rng(0)
    for _ in range(4):
        player = start("tuner0", options={"finalists": 2}, pause=0.02)
        player.wait_for("running")
        time.sleep(rng.random() * 0.15)
        player.kill()
    assert start("tuner0", options={"finalists": 2}).end()[1] is None
    assert journal(tmp_path) == told(whole.oracle)


def test_waiting_for_others_does_not_spin(tmp_path, monkeypatch):
    """keras-tuner asks again at once, hundreds of times a second."""
    search, waits = tuner(tmp_path, evolution(max_trials=1, finalists=1)), []
    other = search.oracle.create_trial("other")

    def sleep(seconds):
        waits.append(seconds)
        if len(waits) == 7:
            search.oracle.update_trial(other.trial_id, {"val_logloss": 0.5})
            other.status = "COMPLETED"
            search.oracle.end_trial(other)

    monkeypatch.setattr(time, "sleep", sleep)
    search.search()
    assert search.ran == ["1"]
    assert waits[:7] == [min(FIRST_WAIT * 2**i, LONGEST_WAIT) for i in range(7)]


def test_a_second_chief_is_refused(start):
    port = free_port()
    start("chief", port=port, options=OPTIONS)
    start("worker0", port=port, options=OPTIONS, pause=0.5).wait_for("running")
    second = start("chief-b", port=free_port(), options=OPTIONS)
    assert "journal.jsonl' is being written by another process" in second.end()[1]


def test_a_port_that_is_taken(start):
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        listener.listen()
        port = listener.getsockname()[1]
        assert f"cannot listen at 127.0.0.1:{port}" in start("chief", port=port).end()[1]
