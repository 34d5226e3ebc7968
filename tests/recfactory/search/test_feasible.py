import numpy as np
import pytest

from recfactory.errors import UserError
from recfactory.search.candidates import Paths
from recfactory.search.feasible import cheap_excess, sample_feasible
from recfactory.search.objectives import Constraint
from recfactory.search.rehearsal import SPACE
from recfactory.space import Space
from recfactory.space.cost import macs
from recfactory.space.genes import decode

PATHS = Paths(SPACE)


def draw(*constraints, count=200, paths=PATHS, seed=0):
    return sample_feasible(paths, constraints, count, np.random.default_rng(seed))


def test_without_constraints_candidates_are_drawn_as_they_are():
    assert np.array_equal(draw(), PATHS.sample(200, np.random.default_rng(0)))


def test_candidates_keep_the_constraints():
    constraints = (Constraint("macs", 3000), Constraint("params", 300, ">="))
    rows = draw(*constraints)
    assert len(rows) == 200
    decode(SPACE, rows)
    measured = PATHS.measure(rows)
    assert measured["macs"].max() <= 3000
    assert measured["params"].min() >= 300


def test_constraints_that_need_an_evaluation_are_left_alone():
    assert len(draw(Constraint("energy", -1))) == 200
    assert cheap_excess(PATHS, [Constraint("energy", -1)], draw(count=5)).tolist() == [0] * 5


def test_what_random_draws_hardly_ever_keep_is_found_by_mutation():
    paths = Paths(Space(13, 26))
    drawn = macs(paths.space, paths.sample(20_000, np.random.default_rng(1)))
    bound = float(drawn.min()) * 0.7
    rows = draw(Constraint("macs", bound), count=20, paths=paths)
    assert len(rows) == 20
    assert macs(paths.space, rows).max() <= bound


def test_the_same_seed_draws_the_same():
    constraint = Constraint("macs", 2000)
    one, same, other = (draw(constraint, seed=seed) for seed in (0, 0, 1))
    assert np.array_equal(one, same)
    assert not np.array_equal(one, other)


def test_where_none_keeps_them_the_nearest_is_told():
    with pytest.raises(
        UserError, match=r"no candidate keeps macs<=0 and energy<=1; the nearest found has macs \d+; relax"
    ):
        draw(Constraint("macs", 0), Constraint("energy", 1))


def test_excess_is_summed_and_0_for_no_rows():
    rows = draw(count=3)
    measured = PATHS.measure(rows)
    constraints = [Constraint("macs", 10), Constraint("params", 10)]
    expected = (measured["macs"] - 10) / 10 + (measured["params"] - 10) / 10
    assert cheap_excess(PATHS, constraints, rows) == pytest.approx(expected)
    assert len(cheap_excess(PATHS, constraints, rows[:0])) == 0
