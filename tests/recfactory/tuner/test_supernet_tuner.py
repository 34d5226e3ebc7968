"""Whole searches in supernets, on a few hundred rows."""

import json
import os
from dataclasses import replace
from pathlib import Path

import keras
import numpy as np
import pytest
import tensorflow as tf
from small_features import SPACE, write_features
from small_search import told

from recfactory.errors import UsageError, UserError
from recfactory.predictor.options import PredictorOptions
from recfactory.search import choice
from recfactory.search.farthest import Farthest
from recfactory.search.mining import Mining
from recfactory.search.spread import spread
from recfactory.search.trial import Trial
from recfactory.space import Space
from recfactory.space.hyperparameters import from_hyperparameters
from recfactory.supernet import shot
from recfactory.supernet.score import Scoring
from recfactory.supernet.shot import ShotRecipe
from recfactory.training.recipe import Recipe
from recfactory.training.source import open_source
from recfactory.tuner import evaluator
from recfactory.tuner.one_shot import EvolutionOracle, ParetoOracle, RandomOracle
from recfactory.tuner.tuner import SupernetTuner
from recfactory.tuner.two_shot import FGPSOracle

GUESS = PredictorOptions(embedding=2, widths=((4,),), decays=(1.0,), epochs=3, folds=2)
SHOT = ShotRecipe(epochs=1, batch_size=100, optimizer="adam", learning_rate=0.01, seed=2)


def fgps(**changes):
    small = {
        "mining": Mining(initial=20, steps=10, sampled=4, mutants=8, kept=2),
        "farthest": Farthest(10, 4, 2),
    }
    return FGPSOracle(
        SPACE, **{"max_trials": 12, "first": 6, "finalists": 2, "predictor": GUESS, **small, **changes}
    )


def trained(features, model, out, recipe, log):
    """Stands for a training: better than any supernet, the wider the better."""
    out.mkdir(parents=True, exist_ok=True)
    return {"logloss": 0.3 - model.params / 1e6, "auc": 0.8, "macs": -1, "params": -1}


@pytest.fixture(scope="module")
def source(tmp_path_factory):
    return open_source(write_features(tmp_path_factory.mktemp("small") / "features"))


def make(folder, oracle=None, **options):
    options = {"supernet": SHOT, "train": trained, **options}
    return SupernetTuner(oracle or fgps(), directory=str(folder), project_name="search", **options)


def search(tuner, source):
    tuner.search(source.split("train"), source.split("valid"))
    return tuner


@pytest.fixture(scope="module")
def done(source, tmp_path_factory):
    return search(make(tmp_path_factory.mktemp("done")), source)


@pytest.mark.slow
def test_2000_trials_leave_memory_and_disk_as_they_are(source, tmp_path):
    """Beside a few kilobytes of each trial in the journal."""
    space = replace(SPACE, blocks=4)
    measured = []

    class Measuring(SupernetTuner):
        def run_trial(self, trial, *arguments, **options):
            scores = super().run_trial(trial, *arguments, **options)
            if int(trial.trial_id) in (500, 1999):
                files = {path for path in tmp_path.rglob("*") if path.is_file()}
                resident = int(Path("/proc/self/statm").read_text().split()[1]) * os.sysconf("SC_PAGE_SIZE")
                measured.append((files, resident))
            return scores

    tuner = Measuring(
        RandomOracle(space, "val_logloss", max_trials=2000),
        supernet=SHOT,
        scoring=Scoring(refit_rows=50, valid_rows=50),
        directory=str(tmp_path),
        project_name="search",
    )
    search(tuner, source)
    (before, resident), (after, later) = measured
    assert before == after
    assert later - resident < 1500 * 10_000


def test_two_shots_and_finalists(done):
    found = told(done.oracle)
    assert [stage for _, stage, _, _ in found] == ["first"] * 6 + ["second"] * 6 + ["alone"] * 2
    for _, _, scores, _ in found:
        assert set(scores) == {"val_logloss", "val_auc", "macs", "params"}
    assert min(scores["macs"] for _, _, scores, _ in found) > 0
    second = sorted((one for one in found if one[1] == "second"), key=lambda one: one[2]["val_logloss"])
    better = [Trial(row, stage, scores) for row, stage, scores, _ in second[:3]]
    best = spread(done.oracle.candidates, better, 2)
    assert [row for row, *_ in found[12:]] == [trial.row for trial in best]


def test_what_lies_in_the_folder(done):
    names = {str(path.relative_to(done.project_dir)) for path in done.oracle.project_dir.rglob("*.*")}
    shots = {
        f"supernet/{stage}{rest}"
        for stage in ("first", "second")
        for rest in (".lock", "/shot.json", "/checkpoint.npz")
    }
    assert names == shots | {
        "journal.jsonl",
        "chosen.npz",
        "chosen.json",
        "alone/12.lock",
        "alone/13.lock",
    } | {f"alone/{number}/candidate.json" for number in (12, 13)}
    report = json.loads((done.oracle.project_dir / "chosen.json").read_text())
    assert report["chosen"] == 10
    assert report["trials"] == 6


def test_results_as_keras_tuner_gives_them(done, capsys):
    best = done.get_best_hyperparameters()[0]
    assert best.values["stage"] == "alone"
    assert from_hyperparameters(SPACE, best).space == SPACE
    done.results_summary(4)
    lines = capsys.readouterr().out.splitlines()
    assert lines[1].split() == ["trial", "stage", "val_logloss", "val_auc", "macs", "params"]
    assert [line.split()[1] for line in lines[2:]] == ["alone", "alone", "second", "second"]
    losses = [float(line.split()[2]) for line in lines[2:]]
    assert losses[0] <= losses[1]
    assert losses[2] <= losses[3]


def test_model_of_a_path_in_the_supernet(done, source):
    oracle = done.oracle
    (trial,) = [t for t in oracle.get_best_trials(20) if t.hyperparameters.values["stage"] == "second"][:1]
    model = done.load_model(trial)
    assert isinstance(model, keras.Model)
    assert model.tower.count_params() == trial.metrics.get_last_value("params")


@pytest.mark.slow
def test_interrupted_between_any_two_trials_it_comes_to_the_same(done, source, tmp_path, monkeypatch):
    """Nothing is trained or chosen twice."""
    shots, choices = [], []
    monkeypatch.setattr(evaluator, "train_shot", lambda *a: shots.append(a[3].name) or shot.train_shot(*a))
    monkeypatch.setattr("recfactory.tuner.two_shot.choose", lambda *a: choices.append(1) or choice.choose(*a))
    run = SupernetTuner.run_trial
    stops = {"03", "06", "09", "13"}

    def run_trial(tuner, trial):
        if trial.trial_id in stops:
            stops.remove(trial.trial_id)
            raise KeyboardInterrupt
        return run(tuner, trial)

    monkeypatch.setattr(SupernetTuner, "run_trial", run_trial)
    for _ in range(4):
        with pytest.raises(KeyboardInterrupt):
            search(make(tmp_path), source)
    again = search(make(tmp_path), source)
    assert told(again.oracle) == told(done.oracle)
    assert len(choices) == 1
    assert set(shots) == {"first", "second"}


def test_only_the_chosen_are_trained_in_the_second_shot(done, monkeypatch):
    taken = []

    def train_shot(space, source, recipe, out, base):
        taken.append((out.name, base))
        raise KeyboardInterrupt

    monkeypatch.setattr(evaluator, "train_shot", train_shot)
    ready = evaluator.Evaluator(
        None, done.oracle.project_dir, SHOT, replace(SHOT, seed=7), Scoring(), Recipe(), trained
    )
    path = from_hyperparameters(SPACE, done.get_best_hyperparameters()[0])
    for stage in ("first", "second"):
        with pytest.raises(KeyboardInterrupt):
            ready.scores(path, stage, "0")
    assert taken[0] == ("first", None)
    with np.load(done.oracle.project_dir / "chosen.npz") as arrays:
        assert taken[1][1].rows == arrays["rows"].tolist()
    assert taken[1][1].seed == 7


def test_a_training_that_fails_is_a_failed_trial(source, tmp_path, capsys):
    def diverges(features, model, out, recipe, log):
        raise UserError("the loss of epoch 1 is not a number; lower the learning rate")

    tuner = search(make(tmp_path, EvolutionOracle(SPACE, max_trials=2, finalists=1), train=diverges), source)
    assert told(tuner.oracle)[2][1:] == (
        "alone",
        None,
        "the loss of epoch 1 is not a number; lower the learning rate",
    )
    assert "trial 3 of 3 (alone) failed: the loss of epoch 1" in capsys.readouterr().err
    assert tuner.get_best_hyperparameters()[0].values["stage"] == "first"


def test_a_path_that_does_not_fit_into_memory_is_a_failed_trial(source, tmp_path):
    def is_large(features, model, out, recipe, log):
        raise MemoryError

    tuner = search(make(tmp_path, EvolutionOracle(SPACE, max_trials=2, finalists=1), train=is_large), source)
    assert "MemoryError" in told(tuner.oracle)[2][3]


def test_a_supernet_that_does_not_fit_into_memory_ends_the_search(source, tmp_path, monkeypatch):
    def is_large(*_):
        raise tf.errors.ResourceExhaustedError(None, None, "OOM when allocating tensor")

    with monkeypatch.context() as patch:
        patch.setattr(evaluator, "train_shot", is_large)
        with pytest.raises(UserError, match=r"the supernet in .* does not fit into memory; take a smaller"):
            search(make(tmp_path), source)
    assert not [error for *_, error in told(make(tmp_path).oracle) if error]


def test_a_shot_that_fails_ends_the_search(source, tmp_path):
    """All trials would fail; with another recipe it is another search."""
    wild = replace(SHOT, learning_rate=1e30, clip_norm=0.0)
    with pytest.raises(UserError, match="lower the learning rate"):
        search(make(tmp_path, supernet=wild), source)
    assert not [error for *_, error in told(make(tmp_path, supernet=wild).oracle) if error]
    with pytest.raises(
        UserError, match=r"supernet: learning_rate 1e\+30, not .*; supernet: clip_norm 0.0, not"
    ):
        search(make(tmp_path), source)


def test_other_data_when_resuming(done, tmp_path, source):
    other = open_source(write_features(tmp_path / "features", seed=1))
    folder = done.oracle.project_dir.parent
    with pytest.raises(UserError, match="other features; take the old settings"):
        search(make(folder), other)
    with pytest.raises(UserError, match="other final"):
        search(make(folder, final=Recipe(dropout=0.5)), source)


def test_data_that_do_not_fit(source, tmp_path):
    tuner = make(tmp_path)
    other = open_source(write_features(tmp_path / "features", seed=1))
    with pytest.raises(UsageError, match="different features"):
        tuner.search(source.split("train"), other.split("valid"))
    with pytest.raises(UsageError, match=r'validation must be .*split\("valid"\), not the split .test.'):
        tuner.search(source.split("train"), source.split("test"))
    with pytest.raises(UsageError, match=r"train must be .*, not Source"):
        tuner.search(source, source.split("valid"))
    with pytest.raises(UserError, match="has no rows of 'later'; it has test, train, valid"):
        source.split("later")
    wide = make(tmp_path / "wide", EvolutionOracle(Space(13, 26)))
    with pytest.raises(UserError, match="2 dense and 2 categorical columns, the space is for 13 and 26"):
        search(wide, source)
    with pytest.raises(UserError, match=r"call tuner\.search"):
        tuner.load_model(done_trial(tuner))


def done_trial(tuner):
    return tuner.oracle.create_trial("tuner0")


def test_numbers_of_the_oracle_that_cannot_be():
    with pytest.raises(UsageError, match="12 of 12 trials cannot be in the first shot"):
        fgps(first=12)
    with pytest.raises(UsageError, match="two-shot"):
        fgps(objective=["val_logloss", "macs"])


def test_several_objectives_in_a_supernet(source, tmp_path):
    tuner = search(
        make(tmp_path, ParetoOracle(SPACE, ["val_logloss", "macs"], max_trials=6, population=4)), source
    )
    best = tuner.oracle.best_entries()
    front = [entry.scores for entry in best[:1]]
    assert not any(
        e.scores["val_logloss"] < front[0]["val_logloss"] and e.scores["macs"] < front[0]["macs"]
        for e in best
    )
