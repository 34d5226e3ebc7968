"""What is not as it was, told to a person."""

import pytest

from recfactory.differences import differences


@pytest.mark.parametrize(
    ("theirs", "ours", "told"),
    [
        ({"seed": 1}, {"seed": 1}, []),
        ({"seed": 1}, {"seed": 2}, ["seed 1, not 2"]),
        ({"seed": 1}, {}, ["seed 1, not left out"]),
        ({}, {"seed": 2}, ["seed left out, not 2"]),
        ({"objective": ["min val_logloss"]}, {"objective": []}, ["objective min val_logloss, not none"]),
        (
            {"recipe": {"epochs": 2, "seed": 1}},
            {"recipe": {"epochs": 3, "seed": 1}},
            ["recipe: epochs 2, not 3"],
        ),
        ({"recipe": None}, {"recipe": {"epochs": 3}}, ["recipe left out, not {'epochs': 3}"]),
        ({"data": "a" * 64}, {"data": "b" * 64}, ["other data"]),
    ],
)
def test_what_changed_is_named(theirs, ours, told):
    assert list(differences(theirs, ours)) == told
