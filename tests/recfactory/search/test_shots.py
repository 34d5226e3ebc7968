from functools import partial

import numpy as np
import pytest
from table_predictor import fit_table

from recfactory.errors import UsageError
from recfactory.search.candidates import Paths
from recfactory.search.choice import choose
from recfactory.search.conformance import CHECKS, check_sampler
from recfactory.search.evolution import RegularisedEvolution
from recfactory.search.farthest import Farthest
from recfactory.search.front import finalists, pareto_front
from recfactory.search.mining import Mining
from recfactory.search.objectives import Constraint, Objective
from recfactory.search.random_search import RandomSearch
from recfactory.search.rehearsal import SPACE, Rehearsal
from recfactory.search.shots import one_shot, two_shot
from recfactory.search.spread import spread

LOSS = Objective("loss")
MINING = Mining(initial=60, sampled=10, mutants=8, kept=4, steps=20, chains=2)
FARTHEST = Farthest(size=30, drawn=10, moved=2)


def make_two_shot(candidates, objectives, constraints, seed, chosen=None, **options):
    def rows(trials):
        choice = choose(candidates, trials, LOSS, constraints, fit_table, MINING, FARTHEST, seed)
        if chosen is not None:
            chosen.append((list(trials), choice.rows))
        return choice.rows

    numbers = {"first": 20, "second": 20, "finalists": 4, "population": 8} | options
    return two_shot(candidates, objectives, constraints, seed, choose=rows, **numbers)


def make_one_shot(make):
    return partial(one_shot, make, trials=40, finalists=4)


MAKES = {
    "two_shot": make_two_shot,
    "random": make_one_shot(RandomSearch),
    "evolution": make_one_shot(partial(RegularisedEvolution, population=16, trials=40)),
}


@pytest.mark.parametrize("check", CHECKS)
@pytest.mark.parametrize("make", MAKES)
def test_conformance(make, check):
    check_sampler(MAKES[make], [check])


def searched(make, **options):
    search = Rehearsal(make, [LOSS], **options)
    search.run(1000)
    search.finish(*search.pending)
    return search


def of_stage(trials, stage):
    return [trial for trial in trials if trial.stage == stage]


def best_apart(search, stage, count=4):
    trials = of_stage(search.finished, stage)
    return spread(Paths(SPACE), finalists(trials, [LOSS], (), len(trials) // 2), count)


@pytest.mark.parametrize("workers", [1, 3])
def test_the_stages_of_two_shots(workers):
    chosen = []
    search = searched(partial(make_two_shot, chosen=chosen), workers=workers)
    stages = [suggestion.stage for suggestion in search.suggested]
    assert stages == ["first"] * 20 + ["second"] * 20 + ["alone"] * 4
    ((trials, rows),) = chosen
    assert sorted(trial.row for trial in trials) == sorted(
        trial.row for trial in of_stage(search.finished, "first")
    )
    population = [suggestion.row for suggestion in search.suggested[20:28]]
    assert set(population) <= set(map(tuple, rows.tolist()))
    best = best_apart(search, "second")
    assert [suggestion.row for suggestion in search.suggested[40:]] == [trial.row for trial in best]


def test_one_shot_trains_its_best_alone():
    for name in ("random", "evolution"):
        search = searched(MAKES[name])
        assert [suggestion.stage for suggestion in search.suggested] == ["first"] * 40 + ["alone"] * 4
        best = best_apart(search, "first")
        assert [trial.row for trial in of_stage(search.finished, "alone")] == [trial.row for trial in best]


def test_the_best_of_those_are_trained_once_more():
    for make in (partial(make_two_shot, again=2), partial(MAKES["random"], again=2)):
        search = searched(make)
        assert [suggestion.stage for suggestion in search.suggested[-3:]] == ["alone", "again", "again"]
        best = finalists(of_stage(search.finished, "alone"), [LOSS], (), 2)
        assert [suggestion.row for suggestion in search.suggested[-2:]] == [trial.row for trial in best]


@pytest.mark.parametrize("by_first", [True, False])
@pytest.mark.parametrize("seed", range(3))
def test_the_finalists_of_several_objectives_lie_on_the_front(by_first, seed):
    both = [LOSS, Objective("macs")]
    search = Rehearsal(partial(MAKES["random"], by_first=by_first), both, seed=seed)
    search.run(1000)
    search.finish(*search.pending)
    front = pareto_front(of_stage(search.finished, "first"), both)
    alone = [suggestion.row for suggestion in search.suggested[40:]]
    on_front = [row for row in alone if row in {trial.row for trial in front}]
    assert len(on_front) == min(len(alone), len(front))
    if by_first:
        assert alone[0] == min(front, key=lambda trial: trial.scores["loss"]).row


@pytest.mark.parametrize("finalists", [1, 2, 4])
def test_what_a_search_began_from_is_among_several_finalists(finalists):
    worst = sorted(of_stage(searched(MAKES["random"]).finished, "first"), key=lambda t: -t.scores["loss"])
    start = [trial.row for trial in worst[:3]]
    search = searched(partial(MAKES["random"], finalists=finalists, start=start))
    alone = {suggestion.row for suggestion in search.suggested[40:]}
    assert len(alone) == finalists
    assert len(alone & set(start)) == finalists // 2


def test_finalists_keep_the_constraints_on_scores_while_enough_do():
    cheap = Constraint("price", 0.0)
    search = Rehearsal(MAKES["random"], [LOSS], constraints=[cheap])
    search.run(1000)
    search.finish(*search.pending)
    kept = [
        trial.row for trial in of_stage(search.finished, "first") if not cheap.excess(trial.scores["price"])
    ]
    assert len(kept) >= 4
    assert {suggestion.row for suggestion in search.suggested[40:]} <= set(kept)


def test_what_is_chosen_beats_random_candidates():
    search = searched(partial(make_two_shot, first=100))
    losses = {
        stage: np.mean([trial.scores["loss"] for trial in of_stage(search.finished, stage)])
        for stage in ("first", "second", "alone")
    }
    assert losses["alone"] < losses["second"] < losses["first"]


def test_loaded_it_chooses_the_same():
    search = Rehearsal(make_two_shot, [LOSS])
    search.run(23)
    assert search.resumed().run(44) == search.run(44)


def test_without_anything_to_choose_from_the_second_shot_is_random():
    search = searched(make_two_shot, fails=lambda number: number < 20)
    assert len(of_stage(search.finished, "second")) == 20


def test_several_objectives():
    with pytest.raises(UsageError, match="two-shot search takes one objective"):
        make_two_shot(Paths(SPACE), [LOSS, Objective("macs")], (), 0)
