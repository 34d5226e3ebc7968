from functools import partial

import numpy as np
import pytest

from recfactory.search.candidates import Paths
from recfactory.search.front import loss_table, pareto_front
from recfactory.search.objectives import Constraint, Objective
from recfactory.search.pareto import ParetoEvolution
from recfactory.search.random_search import RandomSearch
from recfactory.search.rehearsal import SPACE, Rehearsal
from recfactory.search.trial import Trial
from recfactory.space import Space

TWO = (Objective("loss"), Objective("macs"))


def hypervolume(points, worst):
    """The area of what two-dimensional points dominate, up to a worst point."""
    area, height = 0.0, worst[1]
    for x, y in sorted(map(tuple, points)):
        if x < worst[0] and y < height:
            area += (worst[0] - x) * (height - y)
            height = y
    return area


def test_the_hypervolume_of_a_known_example():
    assert hypervolume([(1, 3), (2, 1), (3, 2), (9, 0)], (4, 4)) == pytest.approx(3 * 1 + 2 * 2)


@pytest.mark.slow
def test_its_hypervolume_beats_that_of_random_search():
    space = Space(13, 26)
    found = {}
    for make in (RandomSearch, partial(ParetoEvolution, trials=300)):
        found[make] = []
        for seed in range(3):
            search = Rehearsal(make, TWO, seed, Paths(space))
            search.run(300)
            points = loss_table(search.finished, TWO)
            points[:, 1] = np.log10(points[:, 1] + 1)
            found[make].append(hypervolume(points, (40.0, 7.0)))
    randomly, evolved = found.values()
    assert min(evolved) > max(randomly)


def test_it_starts_from_what_it_is_given():
    start = Paths(SPACE).sample(12, np.random.default_rng(5)).tolist()
    sampler = ParetoEvolution(Paths(SPACE), TWO, population=16, start=[*start, start[0]])
    rows = [list(one.row) for one in sampler.suggest(16)]
    assert rows[:8] == start[:8]
    assert not any(row in start for row in rows[8:])


def finished(sampler, scores):
    """Lets a sampler suggest and learn; the rows."""
    rows = [one.row for one in sampler.suggest(len(scores))]
    for row, each in zip(rows, scores, strict=True):
        sampler.update([Trial(row, "first", each)])
    return rows


class Recorded(Paths):
    """Remembers the parents of children."""

    def __init__(self):
        super().__init__(SPACE)
        self.parents = set()

    def crossover(self, one, other, rng):
        self.parents |= {*map(tuple, one.tolist()), *map(tuple, other.tolist())}
        return super().crossover(one, other, rng)


def test_the_best_fronts_are_the_parents():
    candidates = Recorded()
    sampler = ParetoEvolution(candidates, (Objective("loss"), Objective("gain", "max")), population=3)
    points = [(1, 1), (2, 5), (3, 9), (3, 1), (2, 1), (3, 5)]
    rows = finished(sampler, [{"loss": loss, "gain": gain} for loss, gain in points])
    candidates.parents.clear()
    sampler.suggest(30)
    assert candidates.parents <= set(rows[:3])
    assert len(candidates.parents) >= 2


def test_candidates_that_keep_the_constraints_live_longer():
    candidates = Recorded()
    sampler = ParetoEvolution(candidates, TWO, [Constraint("price", 1)], population=2)
    rows = finished(
        sampler,
        [
            {"loss": i, "macs": i, "price": price}
            for i, price in enumerate((9, None, 1, 0, 4))
            if price is not None
        ],
    )
    candidates.parents.clear()
    sampler.suggest(20)
    assert candidates.parents == {rows[1], rows[2]}


def test_failed_trials_have_no_children():
    candidates = Recorded()
    sampler = ParetoEvolution(candidates, TWO, population=3)
    rows = finished(sampler, [None, {"loss": 1, "macs": 1}, None])
    sampler.suggest(10)
    assert candidates.parents == {rows[1]}


def test_results_may_be_told_one_by_one_or_together():
    states = []
    for together in (True, False):
        sampler = ParetoEvolution(Paths(SPACE), TWO, population=4)
        rng = np.random.default_rng(0)
        trials = [
            Trial(one.row, "first", {"loss": rng.random(), "macs": rng.random()})
            for one in sampler.suggest(20)
        ]
        for part in [trials] if together else [[trial] for trial in trials]:
            sampler.update(part)
        states.append(sampler.dump())
    assert states[0] == states[1]


def test_the_ends_of_the_front_are_kept():
    search = Rehearsal(partial(ParetoEvolution, population=6), TWO)
    search.run(60)
    front = pareto_front(search.finished, TWO)
    alive = {search.sampler.trials[place].row for place in search.sampler._alive}
    for objective in TWO:
        least = min(trial.scores[objective.name] for trial in front)
        assert any(trial.scores[objective.name] == least and trial.row in alive for trial in front)
