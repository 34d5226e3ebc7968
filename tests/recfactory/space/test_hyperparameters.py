import keras_tuner
import pytest
from hypothesis import given, settings
from random_paths import paths, random_rows

from recfactory.errors import UserError
from recfactory.space import Space
from recfactory.space.genes import decode
from recfactory.space.hyperparameters import declare, from_hyperparameters, to_hyperparameters

FULL = Space(13, 26)


@settings(max_examples=50)
@given(paths)
def test_both_ways(path):
    hp = to_hyperparameters(path)
    assert from_hyperparameters(path.space, hp) == path
    reloaded = keras_tuner.HyperParameters.from_config(hp.get_config())
    assert from_hyperparameters(path.space, reloaded) == path
    assert declare(path.space, reloaded) == path


def test_readable_names():
    hp = keras_tuner.HyperParameters()
    path = declare(Space(13, 26, blocks=3, max_sources=2), hp)
    names = [single.name for single in hp.space]
    assert len(names) == 3 * 10
    assert names[20:] == [
        "block_3/dense_operator",
        "block_3/dense_dim",
        "block_3/sparse_operator",
        "block_3/sparse_dim",
        "block_3/dense_sources",
        "block_3/sparse_sources",
        "block_3/left",
        "block_3/right",
        "block_3/dense_to_sparse",
        "block_3/fm",
    ]
    assert hp.space[24].values == ["0", "1", "2", "0+1", "0+2", "1+2"]
    assert path.blocks[2].dense_sources == (0,)
    hp.values["block_3/dense_sources"] = "0+2"
    assert declare(path.space, hp).blocks[2].dense_sources == (0, 2)


def test_whatever_an_oracle_draws_is_a_path():
    hp = keras_tuner.HyperParameters()
    declare(FULL, hp)
    oracle = keras_tuner.oracles.RandomSearchOracle(
        objective=keras_tuner.Objective("val_loss", "min"), max_trials=100, seed=1, hyperparameters=hp
    )
    drawn = set()
    for trial in range(50):
        trial_hp = hp.copy()
        trial_hp.values = oracle.populate_space(str(trial))["values"]
        drawn.add(from_hyperparameters(FULL, trial_hp))
    assert len(drawn) == 50
    assert {len(path.blocks[6].dense_sources) for path in drawn} == {1, 2, 3, 4}


def test_other_hyperparameters_are_left_alone():
    path = decode(FULL, random_rows(FULL, 1, 0))[0]
    hp = to_hyperparameters(path)
    hp.Float("learning_rate", 0.01, 0.1)
    assert from_hyperparameters(FULL, hp) == path
    assert "learning_rate" in hp.values


@pytest.mark.parametrize(
    ("name", "value", "message"),
    [
        ("block_2/dense_operator", "conv", "block_2/dense_operator is 'conv'; the space has fc, gating, sum"),
        ("block_2/dense_sources", "1+0", "block_2/dense_sources is '1\\+0'; the space has 0, 1, 0\\+1"),
        ("block_2/dense_dim", 17, "block_2/dense_dim is 17"),
        ("block_2/left", 2, "block_2/left is 2; the space has 0, 1"),
        ("block_2/fm", None, "block_2/fm is missing"),
    ],
)
def test_a_value_that_the_space_does_not_have(name, value, message):
    hp = to_hyperparameters(decode(FULL, random_rows(FULL, 1, 0))[0])
    if value is None:
        del hp.values[name]
    else:
        hp.values[name] = value
    with pytest.raises(UserError, match=f"hyperparameter {message}"):
        from_hyperparameters(FULL, hp)
