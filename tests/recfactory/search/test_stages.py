from functools import partial

import numpy as np
import pytest

from recfactory.errors import UserError
from recfactory.search.candidates import Paths
from recfactory.search.listed import Listed
from recfactory.search.objectives import Objective
from recfactory.search.random_search import RandomSearch
from recfactory.search.rehearsal import SPACE, TINY
from recfactory.search.stages import Stage, Stages
from recfactory.search.trial import ALONE, FIRST, SECOND, Trial

LOSS = (Objective("loss"),)


def random_stage(name, trials, space=SPACE, begun=None):
    def begin(earlier):
        if begun is not None:
            begun.append((name, list(earlier)))
        return RandomSearch(Paths(space), LOSS, stage=name)

    return Stage(name, trials, begin)


def finish(sampler, suggestions):
    trials = [Trial(one.row, one.stage, {"loss": float(sum(one.row))}) for one in suggestions]
    sampler.update(trials)
    return trials


def test_a_stage_begins_with_the_trials_of_those_before_once_all_are_finished():
    begun = []
    sampler = Stages([random_stage(FIRST, 3, begun=begun), random_stage(SECOND, 2, begun=begun)])
    first = sampler.suggest(9)
    assert [one.stage for one in first] == [FIRST] * 3
    trials = finish(sampler, first[:2])
    assert sampler.suggest() == []
    assert not sampler.done
    trials += finish(sampler, first[2:])
    assert [one.stage for one in sampler.suggest(9)] == [SECOND] * 2
    assert begun == [(FIRST, []), (SECOND, trials)]
    assert sampler.done


def test_the_same_network_may_come_again_in_another_stage():
    sampler = Stages([random_stage(FIRST, 3), random_stage(SECOND, 3)])
    first = sampler.suggest(3)
    finish(sampler, first)
    assert [one.row for one in sampler.suggest(3)] == [one.row for one in first]


def test_a_stage_without_trials_is_left_out():
    sampler = Stages([random_stage(FIRST, 0), random_stage(SECOND, 2)])
    assert [one.stage for one in sampler.suggest(5)] == [SECOND] * 2


def test_a_stage_ends_early_when_its_space_is_exhausted():
    sampler = Stages([random_stage(FIRST, 1000, TINY), random_stage(SECOND, 2)])
    first = sampler.suggest(1000)
    assert len(first) < 1000
    finish(sampler, first)
    assert [one.stage for one in sampler.suggest(2)] == [SECOND] * 2


def test_the_next_stage_begins_in_the_call_that_finds_the_space_exhausted():
    sampler = Stages([random_stage(FIRST, 1000, TINY), random_stage(SECOND, 2)])
    stages = []
    while len(stages) < 1000 and not sampler.done:
        found = sampler.suggest()
        assert found, "nothing is suggested although nothing is pending"
        finish(sampler, found)
        stages.append(found[0].stage)
    assert stages == sorted(stages)
    assert stages[-2:] == [SECOND] * 2


def test_a_stage_that_has_nothing_to_do_is_passed_over():
    empty = Stage(SECOND, 5, partial(lambda trials: Listed([], candidates=Paths(SPACE), objectives=LOSS)))
    sampler = Stages([random_stage(FIRST, 1), empty, random_stage(ALONE, 1)])
    finish(sampler, sampler.suggest())
    assert [one.stage for one in sampler.suggest()] == [ALONE]


def test_a_dumped_state_does_not_change_when_the_search_goes_on():
    sampler = Stages([random_stage(FIRST, 5)])
    finish(sampler, sampler.suggest(2))
    state = sampler.dump()
    kept = repr(state)
    finish(sampler, sampler.suggest(2))
    assert repr(state) == kept


def test_a_loaded_stage_is_begun_from_the_trials_of_earlier_stages_alone():
    begun = []
    stages = [random_stage(FIRST, 2, begun=begun), random_stage(SECOND, 5, begun=begun)]
    sampler = Stages(stages)
    trials = finish(sampler, sampler.suggest(2))
    finish(sampler, sampler.suggest(2))
    begun.clear()
    other = Stages(stages)
    other.load(sampler.dump())
    assert begun[-1] == (SECOND, trials)
    assert other.suggest(3) == sampler.suggest(3)


def test_a_bad_score_is_refused_and_nothing_learned():
    sampler = Stages([random_stage(FIRST, 2)])
    found = sampler.suggest(2)
    bad = Trial(found[0].row, FIRST, {"loss": np.nan})
    with pytest.raises(UserError, match="finite"):
        sampler.update([bad])
    assert sampler.trials == []
