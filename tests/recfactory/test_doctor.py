"""The examination of an installation."""

import sys

from recfactory import doctor
from recfactory.cli import main


def test_conflicts_are_told_with_what_to_do(monkeypatch):
    monkeypatch.setattr(doctor, "_gpus", list)
    monkeypatch.setattr(doctor, "_version", lambda name: None if name == "keras-rs" else "0.1")
    monkeypatch.setenv("TF_USE_LEGACY_KERAS", "1")
    monkeypatch.setenv("KERAS_BACKEND", "jax")
    found = doctor.examine()
    assert not found["healthy"]
    told = " ".join(found["conflicts"])
    assert "keras-rs is not installed; run `make env`" in told
    assert "tensorflow is 0.1, tested with" in told
    assert "TF_USE_LEGACY_KERAS" in told
    assert "KERAS_BACKEND is jax" in told
    assert "conflict: keras-rs" in doctor.format_examination(found)


def test_without_tensorflow_it_says_so(monkeypatch, capfd):
    installed = doctor._version
    monkeypatch.setattr(doctor, "_version", lambda name: None if name == "tensorflow" else installed(name))
    monkeypatch.setitem(sys.modules, "tensorflow", None)  # whoever imports it fails
    assert main(["doctor"]) == 1
    assert "tensorflow is not installed; run `make env`" in capfd.readouterr().err


def test_the_locked_environment_is_healthy(monkeypatch):
    monkeypatch.setattr(doctor, "_gpus", list)
    monkeypatch.delenv("TF_USE_LEGACY_KERAS", raising=False)
    monkeypatch.delenv("KERAS_BACKEND", raising=False)
    found = doctor.examine()
    assert found["conflicts"] == []
    assert "no known conflict" in doctor.format_examination(found)
