import numpy as np
import pytest
from scipy.stats import kendalltau
from synthetic_losses import PATHS, SPACE, synthetic

from recfactory.errors import UsageError, UserError
from recfactory.predictor.on_space import fit_on_space
from recfactory.predictor.options import PredictorOptions
from recfactory.predictor.predictor import fit_predictor

TRIALS = 200
GENES, MACS, LOSSES, TRUTH = synthetic(TRIALS + 1000, 3)
QUICK = PredictorOptions(widths=((16,),), decays=(2.0,), epochs=30, folds=2, pretrain_rows=100, copies=2)


def tau(one, other):
    return kendalltau(one, other).statistic


def fit(options=QUICK, genes=GENES[:40], losses=LOSSES[:40], seed=0):
    return fit_on_space(SPACE, genes, losses, options, seed)


@pytest.mark.parametrize(
    "options",
    [
        {},
        {"encoding": "pids", "embedding": 8},
        {"pretrain": True, "pretrain_rows": 500},
        {"isomorphism": True},
        {"encoding": "pids", "embedding": 8, "pretrain": True, "isomorphism": True},
    ],
    ids=str,
)
def test_it_ranks_paths_that_it_did_not_learn(options):
    options = {"widths": ((32,),), "decays": (2.0,), "folds": 3, **options}
    predictor = fit(PredictorOptions(**options), GENES[:TRIALS], LOSSES[:TRIALS])
    predicted = predictor.predict(GENES[TRIALS:])
    by_macs = abs(tau(MACS[TRIALS:], TRUTH[TRIALS:]))
    assert tau(predicted, TRUTH[TRIALS:]) > max(0.6, by_macs + 0.2)
    assert abs(predictor.kendall - tau(predicted, LOSSES[TRIALS:])) < 0.12
    error = np.abs(predicted - TRUTH[TRIALS:]).mean()
    assert error < 0.6 * np.abs(TRUTH[:TRIALS].mean() - TRUTH[TRIALS:]).mean()


def test_the_options_with_the_best_held_out_order_are_taken():
    options = PredictorOptions(widths=((16,),), decays=(300.0, 2.0), epochs=60, folds=2)
    predictor = fit(options, GENES[:100], LOSSES[:100])
    assert predictor.options.decays == (2.0,)
    assert predictor.options.widths == ((16,),)


@pytest.mark.parametrize("encoding", ["plain", "pids"])
def test_a_seed_decides_everything(encoding):
    options = PredictorOptions.from_dict(
        {**QUICK.to_dict(), "encoding": encoding, "pretrain": True, "isomorphism": True}
    )
    one, same, other = (fit(options, seed=seed).predict(GENES) for seed in (0, 0, 1))
    np.testing.assert_array_equal(one, same)
    assert not np.array_equal(one, other)


def test_outliers_do_not_spoil_it():
    losses = LOSSES[:TRIALS].copy()
    losses[::20] = 50.0
    options = PredictorOptions(widths=((32,),), decays=(2.0,), folds=2)
    predicted = fit(options, GENES[:TRIALS], losses).predict(GENES[TRIALS:])
    assert tau(predicted, TRUTH[TRIALS:]) > 0.5
    assert predicted.max() < 1


def test_predictions_do_not_depend_on_their_company():
    predictor = fit()
    whole = predictor.predict(GENES)
    np.testing.assert_allclose(whole[100:103], predictor.predict(GENES[100:103]), rtol=1e-5)
    assert predictor.predict(GENES[:0]).shape == (0,)


@pytest.mark.parametrize("count", [5, 10])
def test_a_few_trials_are_enough_to_say_something(count):
    predictor = fit(PredictorOptions(epochs=20), GENES[:count], LOSSES[:count])
    predicted = predictor.predict(GENES)
    assert np.isfinite(predicted).all()
    assert -1 <= predictor.kendall <= 1
    spread = np.ptp(LOSSES[:count])
    assert LOSSES.min() - 3 * spread < predicted.min() <= predicted.max() < LOSSES.max() + 3 * spread


def test_equal_losses_are_predicted_and_order_nothing():
    predictor = fit(losses=np.full(40, 0.3))
    np.testing.assert_array_equal(predictor.predict(GENES), 0.3)
    assert predictor.kendall == 0


def test_too_few_trials_are_refused():
    with pytest.raises(UserError, match=r"4 trials are too few.*at least 5"):
        fit(genes=GENES[:4], losses=LOSSES[:4])


@pytest.mark.parametrize("bad", [np.nan, np.inf])
def test_losses_that_are_no_numbers_are_refused(bad):
    losses = LOSSES[:40].copy()
    losses[7] = bad
    with pytest.raises(UserError, match="trial 7"):
        fit(losses=losses)


def test_as_many_losses_as_trials_are_needed():
    with pytest.raises(UserError, match="40 trials"):
        fit(losses=LOSSES[:39])


def test_genes_out_of_range_are_refused():
    genes = GENES[:40].copy()
    genes[3, 0] = 99
    with pytest.raises(UserError, match="row 3, column 0"):
        fit(genes=genes)
    with pytest.raises(UserError, match="must be"):
        fit().predict(GENES[:5, 1:])


@pytest.mark.parametrize(
    ("entry", "argument"),
    [({"encoding": "pids"}, "kinds"), ({"pretrain": True}, "pretrain"), ({"isomorphism": True}, "augment")],
)
def test_options_without_the_argument_they_need_are_refused(entry, argument):
    options = PredictorOptions.from_dict({**QUICK.to_dict(), **entry})
    with pytest.raises(UsageError, match=argument):
        fit_predictor(PATHS.symbols, GENES[:40], LOSSES[:40], options)


@pytest.mark.parametrize("macs", [MACS[:20] * 0, MACS[:19]])
def test_rows_to_learn_first_need_their_macs(macs):
    options = PredictorOptions.from_dict({**QUICK.to_dict(), "pretrain": True})
    with pytest.raises(UserError, match="macs"):
        fit_predictor(PATHS.symbols, GENES[:40], LOSSES[:40], options, pretrain=(GENES[:20], macs))
