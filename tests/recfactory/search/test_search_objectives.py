import pytest
from hypothesis import given
from hypothesis import strategies as st

from recfactory.errors import UsageError
from recfactory.search.objectives import (
    Constraint,
    Objective,
    check_constraints,
    only_objective,
    parse_constraint,
    total_excess,
)


def test_a_loss_is_small_for_good_scores():
    assert Objective("logloss").loss({"logloss": 0.4}) == 0.4
    assert Objective("auc", "max").loss({"auc": 0.8}) == -0.8


def test_a_direction_that_is_none_is_refused():
    with pytest.raises(UsageError, match="objective auc: its direction is min or max, not 'auto'"):
        Objective("auc", "auto")


@pytest.mark.parametrize(
    ("constraint", "value", "excess"),
    [
        (Constraint("macs", 200), 200, 0),
        (Constraint("macs", 200), 300, 0.5),
        (Constraint("auc", 0.8, ">="), 0.6, 0.25),
        (Constraint("auc", 0.8, ">="), 0.9, 0),
        (Constraint("change", 0), 3, 3),
        (Constraint("change", -2), -1, 0.5),
    ],
)
def test_excess_is_a_share_of_the_bound(constraint, value, excess):
    assert constraint.excess(value) == pytest.approx(excess)
    assert constraint.excess([value, value]).tolist() == pytest.approx([excess] * 2)


def test_the_total_excess_is_the_sum_over_what_is_reported():
    constraints = [Constraint("macs", 100), Constraint("auc", 0.5, ">="), Constraint("energy", 1)]
    assert total_excess(constraints, {"macs": 150.0, "auc": 0.25}) == pytest.approx(1.0)
    assert total_excess(constraints, {"macs": 50.0}) == 0
    assert total_excess((), {"macs": 50.0}) == 0


@given(
    st.from_regex(r"[a-z_]+", fullmatch=True),
    st.sampled_from(["<=", ">="]),
    st.floats(-1e5, 1e5).map(lambda bound: float(f"{bound:g}")),
)
def test_a_constraint_is_read_as_it_is_written(name, side, bound):
    constraint = Constraint(name, bound, side)
    assert parse_constraint(str(constraint)) == constraint
    assert parse_constraint(f"  {name} {side} {bound:g} ") == constraint


@pytest.mark.parametrize(
    "text", ["macs", "macs<5", "macs<=", "<=5", "macs<=five", "macs<=nan", "macs<=inf", "a b<=1"]
)
def test_a_constraint_written_otherwise_is_refused(text):
    with pytest.raises(UsageError, match="write NAME<=NUMBER"):
        parse_constraint(text)


def test_only_contradictions_are_refused():
    check_constraints([Constraint("macs", 5), Constraint("macs", 5, ">="), Constraint("params", 9, ">=")])
    with pytest.raises(UsageError, match="macs<=5 and macs>=6 contradict each other"):
        check_constraints([Constraint("macs", 6, ">="), Constraint("macs", 5)])


def test_the_only_objective():
    loss, energy = Objective("loss"), Objective("energy")
    assert only_objective([loss], "evolution") is loss
    with pytest.raises(
        UsageError, match="evolution takes one objective, not loss and energy; for several, use"
    ):
        only_objective([loss, energy], "evolution")
    with pytest.raises(UsageError, match="not none"):
        only_objective([], "evolution")
