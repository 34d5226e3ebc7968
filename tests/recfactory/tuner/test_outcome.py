"""Which finalist a search takes."""

from types import SimpleNamespace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from recfactory.search.objectives import Constraint, Objective
from recfactory.tuner.ledger import Entry
from recfactory.tuner.outcome import _chosen
from recfactory.tuner.search_recipe import SearchRecipe

LOSS, GAIN = Objective("loss"), Objective("gain", "max")


def entries(*points):
    return [
        Entry(place, (place,), "alone", "one", {"loss": loss, "gain": gain})
        for place, (loss, gain) in enumerate(points)
    ]


def chosen(found, objectives, constraints=(), rule=None):
    return _chosen(
        found, SimpleNamespace(objectives=objectives, constraints=constraints), SearchRecipe(rule=rule)
    )


@pytest.mark.parametrize("rule", [None, "knee"])
def test_directions_and_constraints_count_for_the_knee(rule):
    found = entries((1, 0), (2, 8), (9, 10), (5, 5))
    assert chosen(found, (LOSS, GAIN), rule=rule) == found[1]
    assert chosen(found, (LOSS, GAIN), [Constraint("loss", 1.5)], rule) == found[0]


@given(st.lists(st.tuples(st.integers(0, 9), st.integers(0, 9)), min_size=1, max_size=12), st.integers(0, 9))
def test_the_best_within_a_budget(points, bound):
    """Where none keeps it the first one, which the search holds for best."""
    found, budget = entries(*points), [Constraint("loss", bound)]
    kept = [entry for entry in found if entry.scores["loss"] <= bound]
    for objectives, rule in (((GAIN,), None), ((GAIN, LOSS), "best")):
        taken = chosen(found, objectives, budget, rule)
        if not kept:
            assert taken == found[0]
        else:
            assert taken in kept
            assert taken.scores["gain"] == max(entry.scores["gain"] for entry in kept)
