import numpy as np

from recfactory.search.candidates import Paths
from recfactory.search.objectives import Objective, parse_constraint
from recfactory.search.random_search import RandomSearch
from recfactory.search.rehearsal import SPACE

PATHS, LOSS = Paths(SPACE), [Objective("loss")]
START = PATHS.sample(5, np.random.default_rng(7)).tolist()


def test_every_other_suggestion_is_of_the_start_while_there_are_any():
    rows = [list(one.row) for one in RandomSearch(PATHS, LOSS, start=START).suggest(14)]
    assert rows[0:10:2] == START
    assert not [row for row in [*rows[1:10:2], *rows[10:]] if row in START]


def test_of_the_start_only_what_keeps_the_constraints_is_suggested():
    macs = PATHS.measure(np.array(START))["macs"]
    within = RandomSearch(PATHS, LOSS, [parse_constraint(f"macs<={sorted(macs)[1]}")], start=START)
    rows = [list(one.row) for one in within.suggest(8)]
    assert [row for row in rows if row in START] == [
        START[at] for at in range(5) if macs[at] <= sorted(macs)[1]
    ]


def test_without_a_start_all_are_random():
    one, other = RandomSearch(PATHS, LOSS, seed=3), RandomSearch(PATHS, LOSS, seed=3, start=[])
    assert one.suggest(6) == other.suggest(6)
