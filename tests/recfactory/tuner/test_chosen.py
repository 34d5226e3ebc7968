"""The paths of the second shot on disk."""

import numpy as np
import pytest

from recfactory.errors import UserError
from recfactory.search.choice import Choice
from recfactory.search.trial import Trial
from recfactory.tuner.chosen import choose_once, read_chosen

TRIALS = [Trial((0, 1), "first", {"loss": 0.5})]


def test_they_are_chosen_once(tmp_path):
    calls = []

    def choose(trials):
        calls.append(trials)
        return Choice(np.array([[3, 4], [5, 6]]), {"chosen": 2})

    for _ in range(2):
        assert choose_once(tmp_path, TRIALS, choose).tolist() == [[3, 4], [5, 6]]
        assert read_chosen(tmp_path) == [[3, 4], [5, 6]]
    assert len(calls) == 1
    choose_once(tmp_path, [*TRIALS, *TRIALS], choose)
    assert len(calls) == 2


def test_none_chosen_is_not_the_same_as_no_choice(tmp_path):
    with pytest.raises(UserError, match="give every worker the project's folder"):
        read_chosen(tmp_path)
    choose_once(tmp_path, TRIALS, lambda _: Choice(np.empty((0, 2), np.int16), {"chosen": 0}))
    assert read_chosen(tmp_path) == []
