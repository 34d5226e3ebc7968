import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

from recfactory.search.front import crowding, finalists, non_dominated_ranks, pareto_front
from recfactory.search.objectives import Constraint, Objective
from recfactory.search.trial import Trial

LOSS, ENERGY = Objective("loss"), Objective("energy")
# Few values, so that ties are frequent.
points = st.integers(1, 12).flatmap(
    lambda count: st.tuples(
        arrays(np.float64, (count, 3), elements=st.integers(0, 3)),
        arrays(np.float64, count, elements=st.integers(0, 2)),
    )
)


def trial(number, **scores):
    return Trial((number,), "first", scores or None)


def dominates(one, other):
    (losses, excess), (others, other_excess) = one, other
    if excess != other_excess:
        return excess < other_excess
    return all(losses <= others) and any(losses < others)


@given(points)
def test_ranks_are_those_of_peeling_fronts_one_by_one(drawn):
    losses, excess = drawn
    ranks = np.full(len(losses), -1)
    left = set(range(len(losses)))
    rank = 0
    while left:
        front = {
            i
            for i in left
            if not any(dominates((losses[j], excess[j]), (losses[i], excess[i])) for j in left)
        }
        ranks[list(front)] = rank
        left -= front
        rank += 1
    assert non_dominated_ranks(losses, excess).tolist() == ranks.tolist()


def test_ranks_of_a_known_example():
    losses = np.array([[1.0, 4.0], [2.0, 2.0], [4.0, 1.0], [2.0, 3.0], [4.0, 4.0], [2.0, 2.0]])
    assert non_dominated_ranks(losses).tolist() == [0, 0, 0, 1, 2, 0]
    # The fourth breaks nothing, the first two the more.
    assert non_dominated_ranks(losses, np.array([2.0, 2, 1, 0, 1, 0])).tolist() == [4, 4, 2, 1, 3, 0]


def test_crowding_is_the_extent_of_the_gap_around_a_point():
    losses = np.array([[0.0, 10.0], [1.0, 6.0], [3.0, 5.0], [4.0, 0.0], [9.0, 9.0]])
    found = crowding(losses, np.array([0, 0, 0, 0, 1]))
    assert found.tolist() == [np.inf, 3 / 4 + 5 / 10, 3 / 4 + 6 / 10, np.inf, np.inf]


def test_crowding_of_equal_points_is_a_number():
    found = crowding(np.ones((4, 2)), np.zeros(4, np.int64))
    assert not np.isnan(found).any()


@given(points)
def test_finalists_of_one_objective_are_those_of_least_loss(drawn):
    losses, excess = drawn
    trials = [
        trial(i, loss=loss, price=price)
        for i, (loss, price) in enumerate(zip(losses[:, 0], excess, strict=True))
    ]
    best = finalists(trials, [LOSS], [Constraint("price", 0)], 5)
    order = sorted(range(len(trials)), key=lambda i: (excess[i], losses[i, 0], i))
    assert best == [trials[i] for i in order[:5]]


def test_failed_trials_are_never_finalists_and_infeasible_ones_last():
    trials = [
        trial(0),
        trial(1, loss=0.1, macs=9.0),
        trial(2, loss=0.3, macs=3.0),
        trial(3, loss=0.2, macs=7.0),
    ]
    best = finalists(trials, [LOSS], [Constraint("macs", 5)], 9)
    assert [each.row[0] for each in best] == [2, 3, 1]
    assert finalists(trials[:1], [LOSS], (), 3) == finalists([], [LOSS, ENERGY], (), 3) == []


def test_finalists_of_several_objectives_come_front_by_front_and_the_less_crowded_first():
    scores = [(0, 10), (1, 6), (3, 5), (4, 0), (9, 9)]
    trials = [trial(i, loss=loss, energy=energy) for i, (loss, energy) in enumerate(scores)]
    assert [each.row[0] for each in finalists(trials, [LOSS, ENERGY], (), 9)] == [0, 3, 2, 1, 4]


def test_the_direction_of_an_objective_counts():
    trials = [trial(0, auc=0.7), trial(1, auc=0.9), trial(2, auc=0.8)]
    (best,) = finalists(trials, [Objective("auc", "max")])
    assert best.row == (1,)


def test_the_front_has_what_keeps_the_constraints_and_is_not_dominated():
    scores = [(1, 4), (2, 2), (4, 1), (2, 3), (0, 9)]
    trials = [trial(9), *(trial(i, loss=loss, energy=energy) for i, (loss, energy) in enumerate(scores))]
    front = pareto_front(trials, [LOSS, ENERGY], [Constraint("energy", 8)])
    assert [each.row[0] for each in front] == [0, 1, 2]
    assert pareto_front(trials, [LOSS, ENERGY], [Constraint("energy", 0)]) == []


def test_constraints_on_what_trials_do_not_report_are_kept_by_them_already():
    trials = [trial(0, loss=1.0)]
    assert pareto_front(trials, [LOSS], [Constraint("macs", 5)]) == trials


def test_thousands_of_points_are_ranked_at_once():
    losses = np.random.default_rng(0).random((3000, 3))
    assert non_dominated_ranks(losses).max() < 100


@pytest.mark.parametrize("count", [0, 1, 3])
def test_as_many_finalists_as_wanted(count):
    trials = [trial(i, loss=i, energy=-i) for i in range(8)]
    assert len(finalists(trials, [LOSS, ENERGY], (), count)) == count
