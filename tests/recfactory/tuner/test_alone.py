"""Which trainings a candidate's scores are of, once and once more; the training itself is a rehearsal."""

import keras_tuner as kt
import numpy as np
import pytest
from small_features import SPACE

import hw
from recfactory.codesign.designs import Design
from recfactory.errors import UserError
from recfactory.files import write_json
from recfactory.quantise.precision import Bits, Precision
from recfactory.space.genes import decode
from recfactory.space.sampling import sample_uniform
from recfactory.training.recipe import Recipe
from recfactory.tuner.alone import Alone, best_alone

ONE, OTHER = decode(SPACE, sample_uniform(SPACE, 2, np.random.default_rng(0)))
FINAL = [Recipe(seed=1), Recipe(seed=1, batch_norm=False)]


class Trainer:
    """Makes up results: by seed, form and path."""

    def __init__(self):
        self.done = []

    def __call__(self, features, path, out, recipe, log):
        self.done.append((path, recipe.seed, recipe.batch_norm))
        logloss = 0.5 + 0.01 * recipe.batch_norm + 0.0001 * recipe.seed
        result = {"logloss": logloss, "auc": 1 - logloss}
        write_json(out / "recipe.json", {"recipe": recipe.to_dict()})
        write_json(out / "result.json", result)
        return result


class Nowhere:
    features = "nowhere"


def test_once_more_is_by_the_best_recipe_with_another_seed_and_the_mean_counts(tmp_path):
    train = Trainer()
    alone = Alone(Nowhere(), tmp_path, FINAL, train)
    assert alone.scores(OTHER, "06")[0] == alone.scores(ONE, "07")[0] == pytest.approx(0.5001)
    assert best_alone(tmp_path, "07").name == "1"
    train.done.clear()
    logloss, auc = alone.again(ONE, "08")
    assert train.done[-1] == (ONE, 1001, False)
    assert {path for path, *_ in train.done} == {ONE}
    assert logloss == pytest.approx((0.5001 + 0.6001) / 2)
    assert auc == pytest.approx(1 - logloss)


def test_recipes_that_fail_are_passed_over_while_one_works(tmp_path):
    class Failing(Trainer):
        def __call__(self, features, path, out, recipe, log):
            if recipe.batch_norm or path == OTHER:
                raise UserError("the loss is not finite")
            return super().__call__(features, path, out, recipe, log)

    alone = Alone(Nowhere(), tmp_path, FINAL, Failing())
    assert alone.scores(ONE, "06")[0] == pytest.approx(0.5001)
    assert best_alone(tmp_path, "06").name == "1"
    with pytest.raises(kt.errors.FailedTrialError, match="the loss is not finite"):
        alone.scores(OTHER, "07")


def test_few_bits_that_fail_are_a_failed_trial(tmp_path, monkeypatch):
    def diverge(*_):
        raise UserError("the loss of epoch 1 is not a number")

    monkeypatch.setattr("recfactory.tuner.alone.fine_tune_trained", diverge)
    design = Design(ONE, Precision({(1, "dense"): Bits(4, 4)}), hw.load("handcrafted"))
    with pytest.raises(kt.errors.FailedTrialError, match="the loss of epoch 1"):
        Alone(Nowhere(), tmp_path, FINAL, Trainer()).scores(design, "06")


def test_what_was_not_trained_before_fails(tmp_path):
    alone = Alone(Nowhere(), tmp_path, FINAL, Trainer())
    alone.scores(OTHER, "06")
    with pytest.raises(kt.errors.FailedTrialError, match="not trained alone before"):
        alone.again(ONE, "08")
