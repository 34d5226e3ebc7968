"""The recipe as JSON, and what it refuses."""

import json

import pytest

from recfactory.errors import UsageError
from recfactory.training.recipe import Recipe


def test_json_both_ways() -> None:
    recipe = Recipe(hidden=(3, 2), optimizer="adagrad", embedding_l2=0.25)
    assert Recipe.from_dict(json.loads(json.dumps(recipe.to_dict()))) == recipe


def test_missing_entries_keep_their_defaults() -> None:
    assert Recipe.from_dict({"seed": 7}) == Recipe(seed=7)


@pytest.mark.parametrize(
    ("values", "sentence"),
    [
        ({"learningrate": 1}, "did you mean 'learning_rate'"),
        ({"batch_size": 0}, "batch_size must be 1 or more, not 0"),
        ({"dropout": 1.0}, "dropout must be"),
        ({"optimizer": "sgd"}, "optimizer must be one of adam, adagrad, not sgd"),
        ({"hidden": [8, 0]}, "hidden must be 1 or more each"),
        ({"hidden": 8}, "hidden must be a list, not 8"),
        ({"hidden": ["wide"]}, "hidden's entries must be a whole number, not 'wide'"),
        ({"learning_rate": "fast"}, "learning_rate must be a number, not 'fast'"),
        ({"epochs": "abc"}, "epochs must be a whole number, not 'abc'"),
        ({"epochs": 2.5}, "epochs must be a whole number, not 2.5"),
        ({"batch_norm": 1}, "batch_norm must be true or false, not 1"),
    ],
)
def test_refusals(values: dict[str, object], sentence: str) -> None:
    with pytest.raises(UsageError, match=sentence):
        Recipe.from_dict(values)
