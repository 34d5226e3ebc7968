import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

from recfactory.codesign.choice import choose_knee, choose_within, knee
from recfactory.errors import UserError
from recfactory.search.front import non_dominated_ranks
from recfactory.search.objectives import Constraint, Objective
from recfactory.search.trial import Trial

TWO = (Objective("loss"), Objective("gain", "max"))
fronts = st.integers(1, 3).flatmap(
    lambda objectives: arrays(
        np.float64, st.tuples(st.integers(1, 12), st.just(objectives)), elements=st.integers(-9, 9)
    )
)


def trials(*points):
    return [
        Trial((place,), "alone", {"loss": loss, "gain": gain}) for place, (loss, gain) in enumerate(points)
    ]


def test_the_knee_is_farthest_below_the_line_between_the_ends():
    # On the scale of the front: (0, 1), (.1, .2), (.5, .1), (1, 0); the second is .7 / sqrt(2) below it.
    losses = np.array([[10.0, 300.0], [11.0, 140.0], [15.0, 120.0], [20.0, 100.0]])
    assert knee(losses) == 1
    ends = losses[[0, 3]]
    along = (ends[1] - ends[0]) / (scale := np.ptp(losses, axis=0))
    offset = (losses - ends[0]) / scale
    distance = np.abs(along[0] * offset[:, 1] - along[1] * offset[:, 0])
    assert knee(losses) == distance.argmax()


@given(fronts)
def test_the_knee_lies_on_the_front(losses):
    assert non_dominated_ranks(losses)[knee(losses)] == 0


@given(fronts, st.integers(1, 99), st.integers(-50, 50))
def test_units_do_not_matter(losses, factor, offset):
    assert knee(losses * np.float64(2.0) ** (factor % 7) + offset) == knee(losses)


@given(fronts, st.randoms(use_true_random=False))
def test_dominated_points_do_not_matter(losses, random):
    worse = losses + random.randint(1, 3)
    assert knee(np.concatenate([losses, worse])) == knee(losses)


@given(fronts)
def test_a_best_point_of_all_is_the_knee(losses):
    best = losses.min(axis=0) - 1
    assert knee(np.concatenate([losses, best[None]])) == len(losses)


def test_of_one_objective_it_is_the_best():
    assert knee(np.array([[3.0], [1.0], [2.0]])) == 1


def test_directions_and_constraints_count():
    found = trials((1, 0), (2, 8), (9, 10), (5, 5))
    assert choose_knee(found, TWO) == found[1]
    assert choose_knee(found, TWO, [Constraint("loss", 1.5)]) == found[0]
    failed = [*found, Trial((9,), "alone", None)]
    assert choose_knee(failed, TWO) == found[1]


@given(st.lists(st.tuples(st.integers(0, 9), st.integers(0, 9)), min_size=1, max_size=12), st.integers(0, 9))
def test_the_best_within_a_budget(points, bound):
    found = trials(*points)
    budget = [Constraint("loss", bound)]
    kept = [trial for trial in found if trial.scores["loss"] <= bound]
    if not kept:
        with pytest.raises(UserError, match=r"keeps loss<=\d; the nearest has loss"):
            choose_within(found, TWO[1], budget)
    else:
        chosen = choose_within(found, TWO[1], budget)
        assert chosen in kept
        assert chosen.scores["gain"] == max(trial.scores["gain"] for trial in kept)


def test_nothing_to_choose_from_is_told():
    with pytest.raises(UserError, match="none of the trials worked"):
        choose_knee([Trial((1,), "alone", None)], TWO)
    with pytest.raises(UserError, match="none of 1 trials keeps loss<=1"):
        choose_knee(trials((2, 2)), TWO, [Constraint("loss", 1)])
    with pytest.raises(UserError, match="without points"):
        knee(np.zeros((0, 2)))
