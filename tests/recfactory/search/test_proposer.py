import time

import numpy as np
import pytest

from recfactory.errors import UserError
from recfactory.search.candidates import Paths
from recfactory.search.evolution import RegularisedEvolution
from recfactory.search.objectives import Constraint, Objective
from recfactory.search.proposer import check_scores
from recfactory.search.random_search import RandomSearch
from recfactory.search.rehearsal import SPACE, TINY
from recfactory.search.trial import Trial
from recfactory.space import Space
from recfactory.space.effective import effective

LOSS = (Objective("loss"),)


def networks(space):
    return len(
        {tuple(genes) for genes in effective(space, Paths(space).sample(5000, np.random.default_rng(0)))}
    )


def test_it_does_not_matter_how_many_are_asked_for_at_once():
    together = RandomSearch(Paths(SPACE), LOSS).suggest(20)
    sampler = RandomSearch(Paths(SPACE), LOSS)
    assert [one for count in (1, 0, 7, 2, 10) for one in sampler.suggest(count)] == together


@pytest.mark.parametrize("sampler", [RandomSearch, RegularisedEvolution])
@pytest.mark.parametrize("count", [1, 3, 1000])
def test_a_small_space_is_exhausted_to_its_last_network(sampler, count):
    made = sampler(Paths(TINY), LOSS)
    found = []
    while not made.done:
        new = made.suggest(count)
        made.update([Trial(one.row, one.stage, {"loss": 0.0}) for one in new])
        found += new
    assert len(found) == networks(TINY)
    assert made.suggest(0) == made.suggest() == []
    assert made.done


def test_a_larger_space_is_exhausted_too_although_draws_repeat():
    space = Space(
        3, 2, blocks=1, dense_operators=("fc",), dense_dims=tuple(range(4, 28, 2)), sparse_dims=(2, 4, 6, 8)
    )
    sampler = RandomSearch(Paths(space), LOSS)
    assert len(sampler.suggest(10_000)) == networks(space) > 100


def exhausted(*constraints):
    sampler = RandomSearch(Paths(TINY), LOSS, constraints)
    found = sampler.suggest(1000)
    assert not sampler.done
    sampler.update([Trial(one.row, one.stage, None) for one in found])
    assert sampler.suggest() == []
    assert sampler.done
    return sampler


def test_it_is_done_only_when_all_have_reported():
    """What they report may lead to something new; and a search that is read again asks only then."""
    exhausted()


def test_that_it_is_done_is_part_of_the_state():
    sampler = exhausted()
    other = RandomSearch(Paths(TINY), LOSS)
    other.load(sampler.dump())
    assert other.done


def test_a_constraint_that_few_keep_ends_the_search_when_they_are_used_up():
    macs = np.unique(Paths(TINY).measure(Paths(TINY).sample(500, np.random.default_rng(0)))["macs"])
    constraint = Constraint("macs", float(macs[1]))
    found = np.array(exhausted(constraint).suggested)
    assert Paths(TINY).measure(found)["macs"].max() <= macs[1]


def test_a_constraint_that_none_keeps_is_told():
    sampler = RandomSearch(Paths(TINY), LOSS, [Constraint("macs", 1)])
    with pytest.raises(UserError, match=r"no candidate keeps macs<=1; the nearest found has macs \d+"):
        sampler.suggest()


def test_contradictory_constraints_are_refused():
    with pytest.raises(UserError, match="macs<=5 and macs>=9 contradict"):
        RandomSearch(Paths(SPACE), LOSS, [Constraint("macs", 5), Constraint("macs", 9, ">=")])


def test_scores_that_a_constraint_is_on_must_be_reported_unless_they_need_no_evaluation():
    sampler = RandomSearch(Paths(SPACE), LOSS, [Constraint("energy", 5), Constraint("macs", 1e9)])
    (one,) = sampler.suggest()
    with pytest.raises(UserError, match="a trial's energy must be a finite number, not None"):
        sampler.update([Trial(one.row, one.stage, {"loss": 1.0})])
    assert sampler.trials == []
    sampler.update([Trial(one.row, one.stage, {"loss": 1.0, "energy": 9.0})])
    assert len(sampler.trials) == 1


@pytest.mark.parametrize("value", [float("nan"), float("inf"), None, "0.5"])
def test_a_score_must_be_a_finite_number(value):
    with pytest.raises(UserError, match="loss must be a finite number"):
        check_scores([Trial((1,), "first", {"loss": value})], ["loss"])


def test_numbers_of_numpy_are_numbers_and_failed_trials_need_none():
    check_scores([Trial((1,), "first", {"loss": np.float32(1)}), Trial((2,), "first", None)], ["loss"])


@pytest.mark.slow
@pytest.mark.parametrize("sampler", [RandomSearch, RegularisedEvolution])
def test_two_thousand_suggestions_take_seconds(sampler):
    made = sampler(Paths(Space(13, 26)), LOSS)
    began = time.process_time()
    for number in range(2000):
        (one,) = made.suggest()
        made.update([Trial(one.row, one.stage, {"loss": float(number % 97)})])
    assert time.process_time() - began < 30
