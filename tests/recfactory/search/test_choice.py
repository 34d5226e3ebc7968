import json
from dataclasses import replace

import numpy as np
import pytest
from table_predictor import TablePredictor, fit_table

from recfactory.search.candidates import Paths
from recfactory.search.choice import choose
from recfactory.search.farthest import Farthest
from recfactory.search.mining import Mining
from recfactory.search.objectives import Constraint, Objective
from recfactory.search.rehearsal import SPACE
from recfactory.search.trial import Trial
from recfactory.space import Space

PATHS = Paths(SPACE)
LOSS = Objective("loss")
MINING = Mining(initial=300, sampled=20, mutants=16, kept=5, steps=300, chains=2)
FARTHEST = Farthest(size=150, drawn=50, moved=5)
TRUE = TablePredictor(PATHS.symbols, seed=3)


def trials(count, name="loss", sign=1.0):
    rows = PATHS.sample(count, np.random.default_rng(7))
    scores = sign * TRUE.predict(PATHS.genes(rows))
    return [
        Trial(tuple(row), "first", {name: score})
        for row, score in zip(rows.tolist(), scores.tolist(), strict=True)
    ]


def chosen(of=None, objective=LOSS, constraints=(), fit=fit_table, seed=0, **changes):
    of = trials(150) if of is None else of
    return choose(PATHS, of, objective, constraints, fit, MINING, replace(FARTHEST, **changes), seed)


def test_good_and_different():
    choice = chosen()
    report = choice.report
    entropy, predicted = report["entropy"], report["predicted"]
    assert choice.rows.shape == (150, len(PATHS.symbols))
    assert len(np.unique(PATHS.genes(choice.rows), axis=0)) == 150
    assert entropy["greedy"] < entropy["evolution"] < entropy["chosen"] < entropy["farthest"]
    assert entropy["random"] < entropy["farthest"]
    assert entropy["chosen"] > 1.3 * entropy["evolution"]
    assert predicted["greedy"] < predicted["evolution"] < predicted["chosen"] < predicted["random"]
    assert (
        TRUE.predict(PATHS.genes(choice.rows)).mean()
        < TRUE.predict(PATHS.genes(PATHS.sample(500, np.random.default_rng(1)))).mean()
    )


def test_the_report():
    report = json.loads(json.dumps(chosen().report))
    assert (report["trials"], report["chosen"], report["kendall"]) == (150, 150, 0.5)
    assert report["mined"] > 1000
    assert set(report["seconds"]) == {"predictor", "mining", "choosing", "comparing"}

    class NoKendall:
        def __init__(self, *arguments):
            self.predict = fit_table(*arguments).predict

    assert chosen(fit=NoKendall).report["kendall"] is None


def test_the_seed_decides():
    assert np.array_equal(chosen(seed=0).rows, chosen(seed=0).rows)
    assert not np.array_equal(chosen(seed=0).rows, chosen(seed=1).rows)
    assert chosen(seed=0).report["entropy"] == chosen(seed=0).report["entropy"]


def test_the_direction_of_the_objective():
    other = chosen(trials(150, "auc", sign=-1.0), Objective("auc", "max"))
    assert np.array_equal(other.rows, chosen().rows)


def test_rows_are_compared_on_demand():
    raw = chosen(over="rows")
    assert not np.array_equal(raw.rows, chosen().rows)
    assert len(np.unique(PATHS.genes(raw.rows), axis=0)) == 150


def test_constraints_are_kept():
    bound = float(np.quantile(PATHS.measure(PATHS.sample(500, np.random.default_rng(0)))["macs"], 0.3))
    choice = chosen(constraints=[Constraint("macs", bound)])
    assert (PATHS.measure(choice.rows)["macs"] <= bound).all()


def test_failed_trials_are_left_out():
    failed = [Trial(trial.row, "first", None) for trial in trials(20)]
    choice = chosen([*failed, *trials(150)])
    assert np.array_equal(choice.rows, chosen().rows)
    assert choice.report["trials"] == 150
    for few, worked in (([], 0), (failed, 0), ([*failed, trials(1)[0]], 1)):
        none = chosen(few)
        assert none.rows.shape == (0, choice.rows.shape[1])
        assert none.report == {"trials": worked, "chosen": 0}


@pytest.mark.slow
def test_the_full_space_at_full_size():
    paths = Paths(Space(13, 26))
    rows = paths.sample(10, np.random.default_rng(0)).tolist()
    of = [Trial(tuple(row), "first", {"loss": 0.1 * place}) for place, row in enumerate(rows)]
    report = choose(
        paths, of, LOSS, (), lambda symbols, *_: TablePredictor(symbols), Mining(), Farthest(), 0
    ).report
    assert report["mined"] > 200_000
    assert report["chosen"] == 5_500
    assert report["entropy"]["chosen"] > 1.3 * report["entropy"]["evolution"]
    assert report["seconds"]["mining"] < 300
    assert report["seconds"]["choosing"] < 60
