"""A chief and two workers that share a supernet."""

import json
import multiprocessing
import os

import pytest
from players import free_port
from small_features import write_features
from small_search import told
from test_supernet_tuner import fgps, make, search

from recfactory.training.source import open_source

CONTEXT = multiprocessing.get_context("spawn")


def play(folder, features, name, port):
    os.environ |= {
        "KERASTUNER_TUNER_ID": name,
        "KERASTUNER_ORACLE_IP": "127.0.0.1",
        "KERASTUNER_ORACLE_PORT": str(port),
    }
    ran = []
    tuner = make(folder, fgps())
    begin = tuner.on_trial_begin
    tuner.on_trial_begin = lambda trial: (ran.append(trial.hyperparameters.values["stage"]), begin(trial))
    search(tuner, open_source(features))
    (folder / f"{name}.json").write_text(json.dumps(ran))


@pytest.mark.slow
def test_each_supernet_is_trained_once(tmp_path):
    features, port = write_features(tmp_path / "features"), free_port()
    players = [
        CONTEXT.Process(target=play, args=(tmp_path, features, name, port), daemon=True)
        for name in ("chief", "one", "two")
    ]
    for player in players:
        player.start()
    for player in players:
        player.join(400)
        assert player.exitcode == 0
    one, two = (json.loads((tmp_path / f"{name}.json").read_text()) for name in ("one", "two"))
    assert sorted(one + two) == ["alone"] * 2 + ["first"] * 6 + ["second"] * 6
    assert one
    assert two
    # With both supernets on the disk, one process scores each path as the workers have.
    alone = make(tmp_path, fgps())
    found = told(alone.oracle)
    search(alone, open_source(features))
    for trial in alone.oracle.trials.values():
        scores = alone.run_trial(trial)
        assert scores["val_logloss"] == found[int(trial.trial_id)][2]["val_logloss"]
