import math
from functools import partial

import numpy as np
import pytest

from recfactory.errors import UsageError
from recfactory.search.candidates import Paths
from recfactory.search.metropolis import MetropolisEvolution
from recfactory.search.objectives import Constraint, Objective
from recfactory.search.random_search import RandomSearch
from recfactory.search.rehearsal import SPACE, Rehearsal
from recfactory.search.trial import Trial
from recfactory.space import Space

LOSS = (Objective("loss"),)


class Recorded(Paths):
    """Remembers what was mutated."""

    parent = None

    def mutate(self, rows, rng, mutations=1):
        assert mutations == 1
        self.parent = tuple(rows[0].tolist())
        return super().mutate(rows, rng)


def make(**options):
    return MetropolisEvolution(
        Recorded(SPACE), LOSS, **{"round_size": 3, "burn_in": 4, "trials": 40, **options}
    )


def told(sampler, *losses):
    """Suggests and finishes trials of these losses, None for failed ones; the rows."""
    rows = [one.row for one in sampler.suggest(len(losses))]
    for row, loss in zip(rows, losses, strict=True):
        scores = loss if isinstance(loss, dict) or loss is None else {"loss": loss}
        sampler.update([Trial(row, "first", scores)])
    return rows


def current(sampler):
    sampler.candidates.parent = None
    sampler.suggest()
    return sampler.candidates.parent


def test_the_first_round_is_random_and_its_best_is_the_first_candidate():
    sampler = make()
    rows = told(sampler, 3.0, 1.0, None, 2.0)
    assert sampler.candidates.parent is None
    assert current(sampler) == rows[1]


def test_the_best_of_a_round_takes_over_when_it_is_better_and_not_before_the_round_ends():
    sampler = make()
    first = told(sampler, 3.0, 1.0, 4.0, 2.0)
    second = told(sampler, 0.9, 0.5)
    sampler.suggest()
    assert sampler.candidates.parent == first[1]
    told(sampler, None)
    assert current(sampler) == second[1]


def test_a_much_worse_round_is_refused():
    sampler = make()
    rows = told(sampler, 3.0, 1.0, 4.0, 2.0)
    told(sampler, 9.0, 9.0, 9.0)
    assert current(sampler) == rows[1]


def share_of_accepted(worse, rounds_before, trials=40, seeds=300):
    count = 0
    for seed in range(seeds):
        sampler = make(seed=seed, burn_in=1, round_size=1, trials=trials)
        rows = [row for (row,) in (told(sampler, 1.0) for _ in range(1 + rounds_before))]
        (last,) = told(sampler, 1.0 + worse)
        count += sampler._current.row == last
        assert sampler._current.row in (rows[-1], last)
    return count / seeds


@pytest.mark.slow
@pytest.mark.parametrize(("worse", "before"), [(0.01, 0), (0.02, 0), (0.01, 5)])
def test_a_worse_one_is_accepted_with_the_probability_of_the_paper(worse, before):
    tau = 0.01 * (1 + math.cos(math.pi * before / 39))
    assert share_of_accepted(worse, before) == pytest.approx(math.exp(-worse / tau), abs=0.09)


def test_in_the_end_nothing_worse_is_accepted():
    assert share_of_accepted(1e-6, rounds_before=3, trials=4, seeds=5) == 0
    assert share_of_accepted(0.0, rounds_before=3, trials=4, seeds=5) == 1


def test_what_breaks_a_constraint_never_takes_the_place_of_what_keeps_it():
    sampler = MetropolisEvolution(
        Recorded(SPACE), LOSS, [Constraint("price", 1)], round_size=1, burn_in=1, temperature=1e9
    )
    told(sampler, {"loss": 1.0, "price": 3.0})
    rows = told(sampler, {"loss": 9.0, "price": 1.0})
    assert current(sampler) == rows[0]
    told(sampler, {"loss": 0.0, "price": 2.0})
    assert current(sampler) == rows[0]


def test_when_all_of_the_first_round_fail_it_goes_on_at_random():
    sampler = make()
    told(sampler, None, None, None, None)
    rows = told(sampler, None, 5.0, None)
    assert sampler.candidates.parent is None
    assert current(sampler) == rows[1]


def test_no_worker_waits_for_a_round():
    sampler = make()
    told(sampler, 3.0, 1.0, 4.0, 2.0)
    assert len(sampler.suggest(20)) == 20


def test_rounds_follow_from_the_planned_trials():
    sampler = MetropolisEvolution(Paths(SPACE), LOSS, trials=400)
    assert (sampler.burn_in, sampler.round_size, sampler.rounds) == (50, 8, 43)


def test_one_objective_it_must_be():
    with pytest.raises(UsageError, match="metropolis takes one objective, not loss and energy"):
        MetropolisEvolution(Paths(SPACE), (Objective("loss"), Objective("energy")))


def test_it_beats_random_search():
    space = Space(13, 26)
    best = {}
    for sampler in (RandomSearch, partial(MetropolisEvolution, trials=120)):
        searches = [Rehearsal(sampler, LOSS, seed, Paths(space)) for seed in range(3)]
        for search in searches:
            search.run(120)
        best[sampler] = [min(trial.scores["loss"] for trial in search.finished) for search in searches]
    randomly, walked = best.values()
    assert all(np.less(walked, randomly))
