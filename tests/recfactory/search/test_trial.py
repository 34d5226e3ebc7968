import json

import numpy as np
import pytest

from recfactory.search.trial import SECOND, Suggestion, Trial


@pytest.mark.parametrize("scores", [None, {"logloss": 0.1 + 0.2, "macs": 12.0}])
def test_a_trial_is_the_same_after_a_way_through_json(scores):
    trial = Trial((1, 0, 7), SECOND, scores)
    assert Trial.from_dict(json.loads(json.dumps(trial.to_dict()))) == trial


def test_numbers_of_numpy_become_plain_ones():
    trial = Trial(tuple(np.array([1, 2], np.int16)), SECOND, {"macs": np.int64(5), "loss": np.float32(0.5)})
    assert json.loads(json.dumps(trial.to_dict())) == {
        "row": [1, 2],
        "stage": SECOND,
        "scores": {"macs": 5.0, "loss": 0.5},
    }


def test_suggestions_are_values():
    assert len({Suggestion((1, 2)), Suggestion((1, 2)), Suggestion((1, 2), SECOND)}) == 2
