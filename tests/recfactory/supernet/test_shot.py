"""A shot: what it trains, and that an interruption leaves no trace."""

import os
import subprocess
import sys
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from nets import LAYOUT, small_space

from recfactory.errors import UserError
from recfactory.models.sparse_update import SparseAdagrad, SparseAdam
from recfactory.space.genes import encode
from recfactory.space.sampling import smallest
from recfactory.supernet import shot
from recfactory.supernet.samplers import ChosenPaths, FullWarmup, RandomPaths, Sandwich
from recfactory.supernet.score import Scorer, Scoring
from recfactory.supernet.shot import ShotRecipe, train_shot
from recfactory.training import checkpoint
from recfactory.training.source import Source

SPACE = small_space("small", blocks=2)
RECIPE = ShotRecipe(epochs=2, batch_size=60, full_share=0.3, embedding_l2=0.01, clip_norm=1.0, seed=3)
STEPS = 8
"""Batches of an epoch."""


def everything(net):
    (optimizer,) = net.optimizers()
    return [np.asarray(variable) for variable in [*net.variables, *optimizer.variables]]


def same(net, expected):
    for ours, theirs in zip(everything(net), expected, strict=True):
        np.testing.assert_array_equal(ours, theirs)


@pytest.fixture(scope="module")
def undisturbed(source, tmp_path_factory):
    return everything(train_shot(SPACE, source, RECIPE, tmp_path_factory.mktemp("undisturbed")))


class Interrupted(Exception):
    pass


def interrupt(monkeypatch, at):
    """Saves as usual, and stops right after checkpoint number `at`."""
    save, calls = checkpoint.save, []

    def save_and_stop(*arguments):
        save(*arguments)
        calls.append(0)
        if len(calls) == at:
            raise Interrupted

    monkeypatch.setattr(checkpoint, "save", save_and_stop)


@pytest.mark.parametrize("saves", [[STEPS], [3, 7]], ids=["epoch end", "twice"])
def test_resumes_to_the_same_weights(saves, source, undisturbed, tmp_path, monkeypatch):
    for at in saves:
        with monkeypatch.context() as patch:
            interrupt(patch, at)
            with pytest.raises(Interrupted):
                train_shot(SPACE, source, RECIPE, tmp_path, checkpoint_seconds=0)
    net = train_shot(SPACE, source, RECIPE, tmp_path)
    assert int(net.steps) == int(net.optimizer.iterations) == 2 * STEPS
    same(net, undisturbed)


KILLED = """
import os, signal, sys
sys.path[:0] = sys.argv[3:]
from pathlib import Path
from test_shot import RECIPE, SPACE, checkpoint, opened, train_shot
save, count = checkpoint.np.savez, []
def kill(path, **arrays):
    count.append(0)
    if len(count) == 11:
        Path(path).write_bytes(b"half a check")
        os.kill(os.getpid(), signal.SIGKILL)
    save(path, **arrays)
checkpoint.np.savez = kill
train_shot(SPACE, opened(sys.argv[1]), RECIPE, Path(sys.argv[2]), checkpoint_seconds=0)
"""


def opened(folder):
    return Source(Path(folder), LAYOUT, {"train": STEPS * RECIPE.batch_size, "valid": 300}, "digest")


@pytest.mark.slow
def test_kill_9_in_the_middle_of_a_checkpoint(source, undisturbed, tmp_path):
    arguments = [str(source.features), str(tmp_path), str(Path(__file__).parent)]
    done = subprocess.run(
        [sys.executable, "-c", KILLED, *arguments],
        check=False,
        capture_output=True,
        text=True,
        env={**os.environ, "PYTHONPATH": os.pathsep.join(sys.path)},
    )
    assert done.returncode == -9, done.stderr
    same(train_shot(SPACE, source, RECIPE, tmp_path), undisturbed)
    assert not list(tmp_path.rglob(".partial-*"))


@pytest.mark.parametrize(
    ("space", "recipe", "base", "other"),
    [
        (small_space("full", blocks=2), RECIPE, None, "dense_operators"),
        (SPACE, replace(RECIPE, seed=4), None, "seed 3, not 4"),
        (SPACE, RECIPE, RandomPaths(9), "other paths"),
    ],
)
def test_another_shot_is_refused(space, recipe, base, other, source, tmp_path, monkeypatch):
    with monkeypatch.context() as patch:
        interrupt(patch, 1)
        with pytest.raises(Interrupted):
            train_shot(SPACE, source, RECIPE, tmp_path, checkpoint_seconds=0)
    with pytest.raises(UserError, match=f"holds another shot .*{other}"):
        train_shot(space, source, recipe, tmp_path, base)


def test_a_folder_of_something_else_is_left_alone(source, tmp_path):
    (tmp_path / "letters.txt").write_text("dear")
    with pytest.raises(UserError, match="holds no shot"):
        train_shot(SPACE, source, RECIPE, tmp_path)
    assert [path.name for path in tmp_path.iterdir()] == ["letters.txt"]


def test_divergence_is_a_sentence(source, tmp_path):
    with pytest.raises(UserError, match="lower the learning rate"):
        train_shot(SPACE, source, replace(RECIPE, learning_rate=1e30, clip_norm=0.0), tmp_path)


def test_a_finished_shot_is_taken_from_its_folder(source, tmp_path):
    recipe = replace(RECIPE, epochs=1)
    expected = everything(train_shot(SPACE, source, recipe, tmp_path / "new" / "folder"))
    again = train_shot(SPACE, source, recipe, tmp_path / "new" / "folder")
    assert int(again.steps) == STEPS
    same(again, expected)


def test_a_seed_decides_everything(source, undisturbed, tmp_path):
    same(train_shot(SPACE, source, RECIPE, tmp_path / "again"), undisturbed)
    other = train_shot(SPACE, source, replace(RECIPE, seed=4), tmp_path / "other")
    pairs = zip(everything(other), undisturbed, strict=True)
    assert sum(not np.array_equal(ours, theirs) for ours, theirs in pairs) > 20


def test_sampler_of_a_recipe():
    plain = ShotRecipe(seed=5)
    assert plain.sampler(100) == RandomPaths(5)
    assert replace(plain, sandwich=True).sampler(100) == Sandwich(RandomPaths(5))
    warm = replace(plain, sandwich=True, full_share=0.2).sampler(100)
    assert warm == FullWarmup(Sandwich(RandomPaths(5)), 20, 5)
    base = ChosenPaths(1, ((0,),))
    assert plain.sampler(100, base) == base


def test_rates_rise_for_a_tenth_then_fall_as_a_cosine():
    optimizer = ShotRecipe(learning_rate=0.2).make_optimizer(100)
    assert isinstance(optimizer, SparseAdagrad)
    assert isinstance(ShotRecipe(optimizer="adam").make_optimizer(100), SparseAdam)
    optimizer.build([])
    rates = []
    for _ in range(101):
        rates.append(float(optimizer.learning_rate))
        optimizer.iterations.assign_add(1)
    assert np.argmax(rates) == 10
    assert rates[10] == pytest.approx(0.2)
    assert rates[0] < 0.03
    assert rates[100] < 1e-3 * rates[10]
    steps = np.arange(10, 101)
    cosine = 0.2 * 0.5 * (1 + np.cos(np.pi * (steps - 10) / 90))
    np.testing.assert_allclose(rates[10:], cosine, atol=1e-3)


def test_recipe_as_json_values():
    assert ShotRecipe(**RECIPE.to_dict()) == RECIPE


PATIENT = replace(RECIPE, epochs=6, patience=1)


def test_stops_when_validation_gets_worse_and_keeps_the_best_epoch(source, tmp_path, monkeypatch):
    losses, held = iter([0.5, 0.4, 0.6]), []

    def probe(net, *_):
        held.append(net.get_weights())
        return next(losses)

    with monkeypatch.context() as patch:
        patch.setattr(shot, "_probe", probe)
        net = train_shot(SPACE, source, PATIENT, tmp_path)
    for ours, best in zip(net.get_weights(), held[1], strict=True):
        np.testing.assert_array_equal(ours, best)
    # Found finished, it is neither trained nor probed again.
    same(train_shot(SPACE, source, PATIENT, tmp_path), everything(net))


def test_a_patient_shot_resumes_to_the_same_weights(source, tmp_path, monkeypatch):
    expected = everything(train_shot(SPACE, source, PATIENT, tmp_path / "a"))
    with monkeypatch.context() as patch:
        interrupt(patch, STEPS + 3)
        with pytest.raises(Interrupted):
            train_shot(SPACE, source, PATIENT, tmp_path / "b", checkpoint_seconds=0)
    same(train_shot(SPACE, source, PATIENT, tmp_path / "b"), expected)


def test_validation_is_that_of_the_same_paths_each_time(source, tmp_path):
    net = train_shot(SPACE, source, RECIPE, tmp_path)
    first = shot._probe(net, source, PATIENT, None)
    net.steps.assign_add(5)
    assert shot._probe(net, source, PATIENT, None) == first
    rows = ChosenPaths(1, encode([smallest(SPACE)]).tolist())
    assert shot._probe(net, source, PATIENT, rows) != first


def test_validation_hardly_depends_on_the_shared_last_layer(source, tmp_path):
    net = train_shot(SPACE, source, RECIPE, tmp_path)
    path = RandomPaths(1).paths(SPACE, 0)[0]
    shared = Scorer(net, source, Scoring(refit_rows=0))
    before, of_shared = shot._probe(net, source, PATIENT, None), shared.score(path).logloss
    (head,) = (layer for part, layer in net.parts.items() if part.role == "head")
    for bank in head.banks.values():
        bank.assign(bank + 1.0)
    assert abs(shared.score(path).logloss - of_shared) > 0.3
    assert shot._probe(net, source, PATIENT, None) == pytest.approx(before, abs=0.1)
