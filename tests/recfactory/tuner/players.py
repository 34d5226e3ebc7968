"""Processes of a search: alone, as chief or as workers."""

import json
import multiprocessing
import os
import socket
import time
from pathlib import Path

import pytest
from small_search import CheapTuner, StockTuner, evolution

from recfactory.errors import UserError
from recfactory.tuner import client, wire

CONTEXT = multiprocessing.get_context("forkserver")
# Imported once, not in each process.
CONTEXT.set_forkserver_preload(["recfactory.tuner.loop", "recfactory.tuner.one_shot"])
PATIENCE = 120


def play(folder, name, port, options, pause, failing, stock):
    """One process: what it ran and how it ended goes to a file of its name."""
    if port:
        os.environ |= {
            "KERASTUNER_TUNER_ID": name,
            "KERASTUNER_ORACLE_IP": "127.0.0.1",
            "KERASTUNER_ORACLE_PORT": str(port),
        }
    wire.GONE_SECONDS, wire.START_SECONDS, client.HEART_SECONDS = 3.0, 60.0, 0.2

    def fails(number):
        (folder / f"{name}.running").write_text(str(number))
        time.sleep(pause)
        return failing

    kind = StockTuner if stock else CheapTuner
    tuner = kind(evolution(**options), directory=str(folder), project_name="search", fails=fails)
    (folder / f"{name}.ready").touch()
    error = best = None
    try:
        tuner.search()
        best = None if stock else tuner.get_best_hyperparameters()[0].values
    except UserError as told:
        error = str(told)
    (folder / f"{name}.json").write_text(json.dumps({"ran": tuner.ran, "error": error, "best": best}))


class Player:
    """A process that plays; killed at the end of the test if it still runs."""

    def __init__(self, folder, name, port=None, options=None, pause=0.0, failing=False, stock=False):
        self.folder, self.name = Path(folder), name
        for ending in ("running", "ready", "json"):
            (self.folder / f"{name}.{ending}").unlink(missing_ok=True)
        self.process = CONTEXT.Process(
            target=play, args=(self.folder, name, port, options or {}, pause, failing, stock), daemon=True
        )
        self.process.start()

    def wait_for(self, ending):
        until = time.monotonic() + PATIENCE
        while not (self.folder / f"{self.name}.{ending}").exists():
            assert time.monotonic() < until, f"{self.name} is not {ending}"
            time.sleep(0.005)

    def kill(self):
        self.process.kill()
        self.process.join(PATIENCE)

    def end(self):
        """What it ran, and its error."""
        self.process.join(PATIENCE)
        assert self.process.exitcode == 0, f"{self.name} ended with {self.process.exitcode}"
        found = json.loads((self.folder / f"{self.name}.json").read_text())
        self.best = found["best"]
        return found["ran"], found["error"]


def free_port():
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        return listener.getsockname()[1]


@pytest.fixture
def start(tmp_path):
    players = []

    def make(name, **options):
        players.append(Player(tmp_path, name, **options))
        return players[-1]

    yield make
    for player in players:
        player.kill()
