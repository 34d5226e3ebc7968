from functools import partial

import numpy as np
import pytest

from recfactory.errors import UsageError
from recfactory.search.candidates import Paths
from recfactory.search.evolution import RegularisedEvolution
from recfactory.search.objectives import Constraint, Objective
from recfactory.search.random_search import RandomSearch
from recfactory.search.rehearsal import SPACE, Rehearsal
from recfactory.search.trial import Trial
from recfactory.space import Space

LOSS = (Objective("loss"),)
PATHS = Paths(SPACE)


class Recorded(Paths):
    """Remembers what was mutated."""

    def __init__(self):
        super().__init__(SPACE)
        self.parents = []
        self.mutations = []

    def mutate(self, rows, rng, mutations=1):
        self.parents.append(tuple(rows[0].tolist()))
        self.mutations.append(mutations)
        return super().mutate(rows, rng, mutations)


def finish(sampler, suggestions, loss):
    sampler.update([Trial(one.row, one.stage, loss(one)) for one in suggestions])


def evolved(losses, **options):
    """A sampler whose initial population has these losses, None for failed ones; and the rows of that."""
    candidates = Recorded()
    sampler = RegularisedEvolution(
        candidates, LOSS, population=len(losses), **{"children": 3, "sampled": 99, **options}
    )
    rows = []
    for loss in losses:
        (one,) = sampler.suggest()
        rows.append(one.row)
        finish(sampler, [one], lambda one, loss=loss: None if loss is None else {"loss": loss})
    assert candidates.parents == []
    return sampler, rows


def test_the_numbers_of_the_paper_are_the_defaults():
    sampler = RegularisedEvolution(PATHS, LOSS)
    numbers = (sampler.population, sampler.sampled, sampler.children, sampler.generations)
    assert numbers == (128, 64, 8, 240)
    # (G - g) // max(20, G // 5) + 1
    assert [sampler.mutations(generation) for generation in (0, 1, 48, 49, 192, 193, 240, 500)] == [
        6,
        5,
        5,
        4,
        2,
        1,
        1,
        1,
    ]


def test_fewer_trials_have_a_smaller_population():
    sampler = RegularisedEvolution(PATHS, LOSS, trials=400)
    assert (sampler.population, sampler.sampled, sampler.generations) == (25, 12, 46)


def test_children_are_mutants_of_the_best():
    sampler, rows = evolved([3.0, 1.0, 2.0])
    sampler.suggest(3)
    assert set(sampler.candidates.parents) == {rows[1]}


def test_a_generation_has_one_parent_and_its_children_count_in_the_next():
    sampler, rows = evolved([3.0, 1.0, 2.0])
    first = sampler.suggest()
    finish(sampler, first, lambda one: {"loss": 0.5})
    finish(sampler, sampler.suggest(2), lambda one: {"loss": 4.0})
    assert set(sampler.candidates.parents) == {rows[1]}
    sampler.candidates.parents.clear()
    sampler.suggest()
    assert set(sampler.candidates.parents) == {first[0].row}


def test_the_oldest_die_even_if_they_are_the_best():
    sampler, _ = evolved([1.0, 2.0, 3.0, 9.0, 9.0, 9.0])
    children = sampler.suggest(3)
    finish(sampler, children, lambda one: {"loss": 5.0})
    sampler.candidates.parents.clear()
    sampler.suggest()
    assert set(sampler.candidates.parents) <= {child.row for child in children}


def test_failed_trials_do_not_enter_the_population():
    sampler, rows = evolved([None, 2.0, None, 3.0])
    sampler.suggest(3)
    assert set(sampler.candidates.parents) == {rows[1]}


def test_candidates_that_break_a_constraint_are_worse_than_any_that_keeps_it():
    candidates = Recorded()
    sampler = RegularisedEvolution(candidates, LOSS, [Constraint("price", 1)], population=3, sampled=9)
    rows = [sampler.suggest()[0] for _ in range(3)]
    for one, loss, price in zip(rows, (0.1, 0.9, 0.5), (3, 1, 2), strict=True):
        finish(sampler, [one], lambda _, loss=loss, price=price: {"loss": loss, "price": price})
    sampler.suggest()
    assert set(candidates.parents) == {rows[1].row}


def test_many_children_at_once_have_several_parents():
    sampler, _ = evolved([float(i) for i in range(40)], sampled=2)
    sampler.suggest(30)
    assert len(set(sampler.candidates.parents)) > 4


def test_it_goes_on_while_results_are_pending():
    sampler = RegularisedEvolution(Recorded(), LOSS, population=4, children=2)
    found = sampler.suggest(9)
    assert len(found) == 9
    assert sampler.candidates.parents == []
    finish(sampler, found[5:6], lambda one: {"loss": 1.0})
    sampler.suggest()
    assert set(sampler.candidates.parents) == {found[5].row}


def test_it_starts_from_given_rows_in_random_order():
    start = PATHS.sample(12, np.random.default_rng(3)).tolist()
    orders = []
    for seed in (0, 1):
        sampler = RegularisedEvolution(PATHS, LOSS, seed=seed, population=20, start=[*start, start[0]])
        orders.append([one.row for one in sampler.suggest(20)])
    given = set(map(tuple, start))
    for order in orders:
        assert set(order[:12]) == given
        assert len(set(order)) == 20
    assert orders[0][:12] != orders[1][:12]


def test_more_rows_than_the_population_are_drawn_from():
    start = PATHS.sample(30, np.random.default_rng(3)).tolist()
    sampler = RegularisedEvolution(PATHS, LOSS, population=5, start=start)
    assert {one.row for one in sampler.suggest(5)} < set(map(tuple, start))


@pytest.mark.parametrize("objectives", [(), (Objective("loss"), Objective("energy"))])
def test_one_objective_it_must_be(objectives):
    with pytest.raises(UsageError, match="use pareto"):
        RegularisedEvolution(PATHS, objectives)


def test_it_beats_random_search():
    space = Space(13, 26)
    best = {}
    for make in (RandomSearch, partial(RegularisedEvolution, trials=120)):
        searches = [Rehearsal(make, LOSS, seed, Paths(space)) for seed in range(3)]
        for search in searches:
            search.run(120)
        best[make] = [min(trial.scores["loss"] for trial in search.finished) for search in searches]
    randomly, evolved_ = best.values()
    assert max(evolved_) < min(randomly)
