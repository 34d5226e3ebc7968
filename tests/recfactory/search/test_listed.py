import numpy as np

from recfactory.search.candidates import Paths
from recfactory.search.listed import Listed
from recfactory.search.objectives import Constraint, Objective
from recfactory.search.rehearsal import SPACE
from recfactory.search.trial import ALONE, Suggestion

PATHS = Paths(SPACE)
ROWS = list(map(tuple, PATHS.sample(5, np.random.default_rng(0)).tolist()))


def listed(rows, *constraints):
    return Listed(
        rows, candidates=PATHS, objectives=[Objective("loss")], constraints=constraints, stage=ALONE
    )


def test_the_list_in_its_order_and_nothing_after_it():
    sampler = listed(ROWS)
    assert sampler.suggest(3) == [Suggestion(row, ALONE) for row in ROWS[:3]]
    assert not sampler.done
    assert [one.row for one in sampler.suggest(9)] == ROWS[3:]
    assert sampler.done
    assert sampler.suggest() == []


def test_a_repeated_network_comes_once():
    sampler = listed([*ROWS[:2], ROWS[0], *ROWS[2:]])
    assert [one.row for one in sampler.suggest(9)] == ROWS


def test_what_breaks_a_constraint_is_left_out():
    macs = PATHS.measure(np.array(ROWS))["macs"]
    bound = float(np.median(macs))
    sampler = listed(ROWS, Constraint("macs", bound))
    assert [one.row for one in sampler.suggest(9)] == [
        row for row, each in zip(ROWS, macs, strict=True) if each <= bound
    ]


def test_an_empty_list_is_at_its_end():
    assert listed([]).done
    assert listed([]).suggest() == []


def test_its_place_in_the_list_is_its_state():
    sampler, other = listed(ROWS), listed(ROWS)
    sampler.suggest(2)
    other.load(sampler.dump())
    assert [one.row for one in other.suggest(9)] == ROWS[2:]
