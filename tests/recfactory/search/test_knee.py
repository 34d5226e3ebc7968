import numpy as np
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

from recfactory.search.front import non_dominated_ranks
from recfactory.search.knee import knee

fronts = st.integers(1, 3).flatmap(
    lambda objectives: arrays(
        np.float64, st.tuples(st.integers(1, 12), st.just(objectives)), elements=st.integers(-9, 9)
    )
)


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
