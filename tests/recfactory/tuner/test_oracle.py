"""Oracles as keras-tuner uses them, and the defects that they do not inherit."""

import gc
import threading
import tracemalloc

import keras_tuner as kt
import numpy as np
import pytest
from keras_tuner.src.engine.trial import TrialStatus
from small_search import SPACE, evolution, price, row_of, told, tuner

import hw
from recfactory.codesign.designs import Designs
from recfactory.codesign.hardware import Hardware
from recfactory.errors import UsageError, UserError
from recfactory.features.layout import make_layout
from recfactory.quantise.precision import Bits
from recfactory.search.objectives import Constraint, Objective
from recfactory.space import Space
from recfactory.space.genes import decode
from recfactory.space.sampling import sample_uniform
from recfactory.tuner.one_shot import MetropolisOracle, ParetoOracle, RandomOracle

LAYOUT = make_layout(("a", "b"), [(name, 1, 9) for name in "xyz"])
HARDWARE = Hardware(hw.load("handcrafted"), {"rows": (64, 128)}, (4, 8), (4, 8), (8,))


def opened(folder, oracle=None):
    oracle = oracle or evolution()
    oracle._set_project_dir(str(folder), "search")
    return oracle


def finish(oracle, trial, **scores):
    oracle.update_trial(trial.trial_id, scores or {"val_logloss": price(row_of(trial))})
    trial.status = TrialStatus.COMPLETED
    oracle.end_trial(trial)


def fail(oracle, trial, message="it broke"):
    trial.status, trial.message = TrialStatus.FAILED, message
    oracle.end_trial(trial)


@pytest.mark.parametrize("make", [RandomOracle, MetropolisOracle, ParetoOracle])
def test_every_oracle_runs_to_its_end(make, tmp_path):
    search = tuner(tmp_path, make(SPACE, max_trials=18, finalists=2))
    search.search()
    found = told(search.oracle)
    assert [stage for _, stage, _, _ in found] == ["first"] * 18 + ["alone"] * 2
    best = min(found[:18], key=lambda one: one[2]["val_logloss"])
    assert best[0] in {row for row, *_ in found[18:]}
    assert search.get_best_hyperparameters()[0].values["stage"] == "alone"


@pytest.mark.parametrize("make", [RandomOracle, ParetoOracle])
def test_what_a_codesign_begins_from_is_a_finalist(make, tmp_path):
    designs = Designs(SPACE, HARDWARE, LAYOUT)
    (start,) = decode(SPACE, sample_uniform(SPACE, 1, np.random.default_rng(0)))
    objectives = ["val_logloss", "energy_j"]
    oracle = make(SPACE, objectives, 30, finalists=2, designs=designs, start=[start], by_first=True)
    oracle._set_project_dir(str(tmp_path), "search")
    while not oracle.over:
        trial = oracle.create_trial("one")
        row = oracle._known().entries[int(trial.trial_id)].row
        mine = designs.decode(np.array([row]))[0].path == start
        finish(oracle, trial, val_logloss=0.5 + 0.1 * mine + 0.01 * price(row))
    scored = {}
    for row, stage, scores, _ in told(oracle):
        if designs.decode(np.array([row]))[0].path == start:
            scored.setdefault(stage, {})[row] = scores["val_logloss"]
    assert len(scored["first"]) >= 8
    assert set(scored["alone"]) == {min(scored["first"], key=scored["first"].get)}
    first = designs.decode(np.array([next(iter(scored["first"]))]))[0]
    assert set(first.precision.bits.values()) == {Bits(8, 8)}


@pytest.mark.parametrize("make", [RandomOracle, evolution])
def test_seed_0_is_a_seed(make, tmp_path):
    rows = []
    for seed in (0, 0, 1):
        make_one = {} if make is evolution else {"space": SPACE, "max_trials": 8}
        search = tuner(tmp_path / str(len(rows)), make(**make_one, seed=seed))
        assert search.oracle.seed == seed
        search.search()
        rows.append([row for row, *_ in told(search.oracle)])
    assert rows[0] == rows[1] != rows[2]


def test_only_the_journal_is_on_the_disk(tmp_path):
    search = tuner(tmp_path)
    search.search()
    assert [path.name for path in (tmp_path / "search").iterdir()] == ["journal.jsonl"]


def no_luck(*_):
    raise RuntimeError("no luck")


def test_the_lock_is_free_after_an_exception(tmp_path, monkeypatch):
    """keras-tuner's stays locked, and a second worker hangs for ever."""
    oracle = opened(tmp_path)
    first = oracle.create_trial("one")
    with monkeypatch.context() as patch:
        patch.setattr(type(oracle._ledger), "finish", no_luck)
        with pytest.raises(RuntimeError, match="no luck"):
            finish(oracle, first)
    found = []
    thread = threading.Thread(target=lambda: found.append(oracle.create_trial("two")), daemon=True)
    thread.start()
    thread.join(20)
    assert found[0].status == TrialStatus.RUNNING
    finish(oracle, first)
    assert oracle.get_trial(first.trial_id).status == TrialStatus.COMPLETED


def test_an_interrupted_suggestion_leaves_no_trace(tmp_path, monkeypatch):
    """Control-C while the sampler thinks, then on in the same process."""
    search, other = tuner(tmp_path / "a"), tuner(tmp_path / "b")
    other.search()
    search.oracle.create_trial("tuner0")
    suggest = type(search.oracle._ledger.sampler).suggest

    def think_and_stop(sampler, count=1):
        suggest(sampler, count)
        raise KeyboardInterrupt

    with monkeypatch.context() as patch:
        patch.setattr(type(search.oracle._ledger.sampler), "suggest", think_and_stop)
        with pytest.raises(KeyboardInterrupt):
            search.search()
    search.search()
    assert told(search.oracle) == told(other.oracle)


def test_a_failure_is_kept_also_the_one_that_ends_the_search(tmp_path, capsys):
    """keras-tuner leaves it RUNNING, and swallows those before it."""
    search = tuner(tmp_path, fails=lambda number: number >= 2)
    with pytest.raises(
        UserError, match="3 trials failed one after another, the last one with: it does not work"
    ):
        search.search()
    assert [error for *_, error in told(search.oracle)] == [None, None] + ["it does not work"] * 3
    assert not search.oracle.ongoing_trials
    assert {search.oracle.get_trial(f"{i:02d}").status for i in (2, 3, 4)} == {TrialStatus.FAILED}
    said = capsys.readouterr().err
    assert "trial 3 of 20 (first) failed: it does not work" in said
    # Once the reason is mended, the search goes on behind the failures.
    mended = tuner(tmp_path)
    mended.search()
    assert mended.ran == [f"{i:02d}" for i in range(5, 20)]


def test_an_exception_is_told_and_the_search_goes_on(tmp_path, capsys):
    def breaks_once(number):
        if number == 4:
            raise KeyError("wide")
        return False

    search = tuner(tmp_path, fails=breaks_once)
    search.search()
    assert "trial 5 of 20 (first) failed: KeyError: 'wide'" in capsys.readouterr().err
    assert "Traceback" in told(search.oracle)[4][3]
    assert len(told(search.oracle)) == 20


@pytest.mark.parametrize("score", [float("nan"), float("inf")])
def test_a_score_that_is_no_number_is_a_failure(score, tmp_path):
    oracle = opened(tmp_path)
    trial = oracle.create_trial("one")
    finish(oracle, trial, val_logloss=score)
    assert oracle.get_trial(trial.trial_id).status == TrialStatus.FAILED
    assert "val_logloss must be a finite number" in oracle.get_trial(trial.trial_id).message
    assert oracle.get_best_trials(5) == []


def test_a_score_that_is_missing_is_a_failure(tmp_path):
    oracle = opened(tmp_path)
    finish(oracle, oracle.create_trial("one"), val_auc=0.7)
    assert "val_logloss must be a finite number, not None" in told(oracle)[0][3]


def test_order_after_reload(tmp_path):
    search = tuner(tmp_path, evolution(max_trials=105))
    search.search()
    again = tuner(tmp_path, evolution(max_trials=105))
    assert list(again.oracle.trials) == [f"{i:03d}" for i in range(105)]
    assert list(again.oracle.trials) == list(search.oracle.trials)
    assert [row_of(t) for t in again.oracle.trials.values()] == [row for row, *_ in told(search.oracle)]


def test_best_trials_are_finished_ones(tmp_path):
    """keras-tuner fills up with running and failed ones, whose score is None."""
    oracle = opened(tmp_path)
    finish(oracle, oracle.create_trial("one"), val_logloss=0.5)
    fail(oracle, oracle.create_trial("one"))
    oracle.create_trial("one")
    finish(oracle, oracle.create_trial("two"), val_logloss=0.4)
    assert [trial.score for trial in oracle.get_best_trials(10)] == [0.4, 0.5]


def test_a_trial_left_over_is_handed_out_again(tmp_path):
    oracle = opened(tmp_path)
    for _ in range(3):
        finish(oracle, oracle.create_trial("one"))
    trial = oracle.create_trial("one")
    assert oracle.create_trial("one").trial_id == trial.trial_id == "03"
    oracle.close()
    again = opened(tmp_path)
    other = again.create_trial("another")
    assert other.trial_id == "03"
    assert other.hyperparameters.values == trial.hyperparameters.values
    assert again.create_trial("one").trial_id == "04"


def test_interrupted_and_resumed_it_is_the_undisturbed_search(tmp_path):
    whole = tuner(tmp_path / "whole", evolution(finalists=3))
    whole.search()

    stops = {5, 13, 21}

    def stop(number):
        if number in stops:
            stops.remove(number)
            raise KeyboardInterrupt
        return False

    for number in sorted(stops):
        parts = tuner(tmp_path / "parts", evolution(finalists=3), fails=stop)
        with pytest.raises(KeyboardInterrupt):
            parts.search()
        assert parts.ran[-1] == f"{number:02d}"
    last = tuner(tmp_path / "parts", evolution(finalists=3), fails=stop)
    last.search()
    assert last.ran == ["21", "22"]
    assert told(last.oracle) == told(whole.oracle)


def test_another_search_in_the_same_folder_is_refused(tmp_path):
    tuner(tmp_path).search()
    with pytest.raises(UserError, match="seed 0, not 1; take the old settings"):
        tuner(tmp_path, evolution(seed=1)).search()
    with pytest.raises(UserError, match="population 6, not 7"):
        tuner(tmp_path, evolution(population=7)).search()
    with pytest.raises(UserError, match="objective min val_logloss, not max val_auc"):
        tuner(tmp_path, evolution(objective="val_auc")).search()
    with pytest.raises(UserError, match="constraints none, not macs<=5000"):
        tuner(tmp_path, evolution(constraints=["macs<=5000"])).search()


def test_overwrite(tmp_path):
    tuner(tmp_path).search()
    fresh = tuner(tmp_path, evolution(seed=1), overwrite=True)
    fresh.search()
    assert len(fresh.ran) == 20
    # Also with an oracle that has been used.
    again = tuner(tmp_path, fresh.oracle, overwrite=True)
    assert again.remaining_trials == 20
    again.search()
    assert len(again.ran) == 20


def test_two_tuners_one_after_another_in_one_process(tmp_path):
    """As when a notebook's cell is run twice."""
    first = tuner(tmp_path)
    first.search()
    second = tuner(tmp_path)
    second.search()
    assert second.ran == []
    assert second.get_best_hyperparameters()[0].values == first.get_best_hyperparameters()[0].values


def test_constraints_are_kept_by_every_trial(tmp_path):
    search = tuner(tmp_path, evolution(constraints=["macs<=3000", Constraint("params", 3000.0)]))
    search.search()
    assert all(scores["macs"] <= 3000 and scores["params"] <= 3000 for _, _, scores, _ in told(search.oracle))


def test_trials_carry_genes_stage_and_entries_of_the_users_own(tmp_path):
    oracle = opened(tmp_path)
    own = oracle.get_space()
    own.Float("rate", 0.1, 0.9, default=0.3)
    with own.conditional_scope("stage", ["first"]):
        own.Int("epochs", 1, 9, default=2)
    oracle.update_space(own)
    trial = oracle.create_trial("one")
    values = trial.hyperparameters.values
    assert (values["stage"], values["rate"], values["epochs"]) == ("first", 0.3, 2)
    assert len(row_of(trial)) == len(told(oracle)[0][0])
    assert row_of(trial) == told(oracle)[0][0]


def test_several_objectives_are_a_front_not_a_sum(tmp_path):
    """keras-tuner would take the fourth, whose signed sum is lowest: macs are thousands, AUC is below 1."""
    oracle = opened(
        tmp_path, ParetoOracle(SPACE, ["val_auc", kt.Objective("latency_s", "min")], max_trials=8)
    )
    told_scores = [(0.8, 3e-6), (0.7, 1e-6), (0.75, 5e-6), (0.6, 9e-7), (0.5, 9e-6)]
    for auc, latency in told_scores:
        finish(oracle, oracle.create_trial("one"), val_auc=auc, latency_s=latency)
    best = [int(trial.trial_id) for trial in oracle.get_best_trials(5)]
    assert set(best[:3]) == {0, 1, 3}
    assert best[3:] == [2, 4]
    assert oracle.objective.get_value({"val_auc": 0.8, "latency_s": 3e-6}) == 0.8
    assert oracle.objectives == (Objective("val_auc", "max"), Objective("latency_s", "min"))


def test_what_needs_no_evaluation_is_measured(tmp_path):
    """So that a model of the user's own, which reports its loss alone, can be searched for few macs."""
    oracle = opened(tmp_path, ParetoOracle(SPACE, ["val_logloss", "macs"], max_trials=8))
    finish(oracle, oracle.create_trial("one"))
    scores = told(oracle)[0][2]
    assert set(scores) == {"val_logloss", "macs", "params"}


@pytest.mark.parametrize(
    ("options", "sentence"),
    [
        ({"objective": "val_fun"}, "'val_fun': it is not known whether"),
        ({"objective": ["val_auc", "val_auc"]}, "name each score once"),
        ({"objective": 3}, "objective 3"),
        ({"max_trials": 0}, "max_trials must be a whole number of at least 1, not 0"),
        ({"seed": None}, "seed must be a whole number of at least 0, not None"),
        ({"max_consecutive_failed_trials": 0}, "max_consecutive_failed_trials must be"),
        ({"constraints": "macs<5"}, "write NAME<=NUMBER"),
        ({"constraints": ["macs<=5", "macs>=9"]}, "contradict each other"),
    ],
)
def test_wrong_arguments(options, sentence):
    with pytest.raises(UsageError, match=sentence):
        evolution(**options)


def test_no_candidate_keeps_the_constraints(tmp_path):
    with pytest.raises(UserError, match="no candidate keeps macs<=1"):
        tuner(tmp_path, evolution(constraints="macs<=1")).search()


def test_other_oracles_are_refused(tmp_path):
    with pytest.raises(UsageError, match="oracle must be one of recfactory"):
        tuner(tmp_path, kt.oracles.RandomSearchOracle(objective="val_loss"))


def test_an_exhausted_space_ends_the_search(tmp_path):
    small = Space(
        2,
        3,
        blocks=1,
        dense_operators=("fc",),
        sparse_operators=("efc",),
        dense_dims=(4,),
        sparse_dims=(2,),
        embedding_dim=4,
    )
    oracle = opened(tmp_path, RandomOracle(small, max_trials=500, finalists=1))
    stages = []
    while (trial := oracle.create_trial("one")).status == TrialStatus.RUNNING:
        stages.append(trial.hyperparameters.values["stage"])
        finish(oracle, trial, val_logloss=float(len(stages)))
    assert stages[-1] == "alone"
    assert stages.count("first") < 30


def test_verbose(tmp_path, capsys):
    tuner(tmp_path / "quiet").search()
    assert capsys.readouterr() == ("", "")
    tuner(tmp_path / "loud").search(verbose=1)
    lines = capsys.readouterr().err.splitlines()
    assert len(lines) == 20
    assert lines[0].startswith("trial 1 of 20 (first): val_logloss ")
    assert all(line.endswith(" 0:00 left to score") for line in lines)


@pytest.mark.slow
def test_memory_stays_flat_over_2000_trials(tmp_path):
    """A trial of keras-tuner's own, with its copy of the space, takes many times as much."""
    oracle = opened(tmp_path, RandomOracle(SPACE, max_trials=2000))
    sizes = []
    tracemalloc.start()
    for number in range(2000):
        finish(oracle, oracle.create_trial("one"), val_logloss=float(np.sin(number)))
        if number in (100, 1999):
            gc.collect()
            sizes.append(tracemalloc.get_traced_memory()[0])
    tracemalloc.stop()
    assert sizes[1] - sizes[0] < 1900 * 4_000
    assert (tmp_path / "search" / "journal.jsonl").stat().st_size < 2000 * 1000
