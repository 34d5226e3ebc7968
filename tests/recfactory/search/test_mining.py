import numpy as np
import pytest
from table_predictor import TablePredictor

from recfactory.errors import UserError
from recfactory.search.candidates import Paths
from recfactory.search.mining import Mining, mine
from recfactory.search.objectives import Constraint
from recfactory.search.rehearsal import SPACE, TINY
from recfactory.space.genes import decode

PATHS = Paths(SPACE)
SMALL = Mining(initial=200, sampled=20, mutants=16, kept=4, steps=100, chains=1)


def networks(mined):
    return set(map(tuple, mined.genes.tolist()))


def mined(mining=SMALL, *, seed=0, constraints=(), paths=PATHS, predictor=None):
    predictor = predictor or TablePredictor(paths.symbols)
    return mine(paths, constraints, predictor, mining, np.random.default_rng(seed))


def reference(predictor, mining, rng):
    """One chain, one path after another."""
    found, networks = [], set()

    def judge(rows):
        """The members that are new, each as (loss, genes, row)."""
        judged = {}
        for row in rows:
            (genes,) = PATHS.genes(row[None])
            judged.setdefault(tuple(genes), (float(predictor.predict(genes[None])[0]), tuple(genes), row))
        return [member for genes, member in judged.items() if genes not in networks]

    def remember(members):
        found.extend(members)
        networks.update(genes for _, genes, _ in members)

    remember(judge(PATHS.sample(mining.initial, rng)))
    ring, oldest = list(found), 0
    for _ in range(mining.steps):
        drawn = rng.integers(len(ring), size=(1, mining.sampled))[0]
        parent = min((ring[place] for place in drawn), key=by_loss)
        children = judge(PATHS.mutate(np.repeat(parent[2][None], mining.mutants, axis=0), rng))
        best = sorted(children, key=by_loss)[: mining.kept]
        assert len(best) == mining.kept
        remember(best)
        for member in best:
            ring[oldest % len(ring)] = member
            oldest += 1
    left = sorted(found, key=by_loss)[: round(len(found) * (1 - mining.dropped))]
    return [member for member in found if member[0] <= left[-1][0]]


def by_loss(member):
    return member[0]


def test_one_chain_equals_plain_evolution():
    mining = Mining(initial=40, sampled=6, mutants=16, kept=3, steps=50, chains=1)
    predictor = TablePredictor(PATHS.symbols)
    expected = reference(predictor, mining, np.random.default_rng(0))
    found = mined(mining)
    assert found.rows.tolist() == [row.tolist() for _, _, row in expected]
    assert found.losses == pytest.approx([loss for loss, _, _ in expected])


@pytest.mark.parametrize("chains", [1, 5, 1000])
def test_what_is_mined(chains):
    mining = Mining(initial=200, sampled=20, mutants=16, kept=4, steps=100, chains=chains)
    predictor = TablePredictor(PATHS.symbols)
    found = mined(mining, predictor=predictor)
    decode(SPACE, found.rows)
    assert np.array_equal(PATHS.genes(found.rows), found.genes)
    assert found.losses == pytest.approx(predictor.predict(found.genes))
    assert len(networks(found)) == len(found.rows)
    assert predictor.predict(PATHS.genes(PATHS.sample(500, np.random.default_rng(1)))).mean() > (
        found.losses.mean()
    )


def test_more_steps_find_more_and_better():
    few, many = (mined(Mining(200, 20, 16, 4, steps, chains=1)) for steps in (40, 400))
    assert len(many.rows) > 2 * len(few.rows)
    assert many.losses.min() < few.losses.min()
    # Some of the 200 are equal networks, and a step may find fewer than four new ones.
    assert len(few.rows) == pytest.approx((200 + 40 * 4) * 0.925, abs=3)


def test_the_worst_are_dropped():
    everything, rest = (mined(Mining(200, 20, 16, 4, 100, dropped)) for dropped in (0, 0.25))
    assert len(rest.rows) == round(0.75 * len(everything.rows))
    dropped = set(everything.losses.tolist()) - set(rest.losses.tolist())
    assert min(dropped) > rest.losses.max()


def test_the_seed_decides():
    for seed in (0, 1):
        assert np.array_equal(mined(seed=seed).rows, mined(seed=seed).rows)
    assert not np.array_equal(mined(seed=0).rows[:100], mined(seed=1).rows[:100])


def test_constraints_are_kept():
    measured = PATHS.measure(PATHS.sample(500, np.random.default_rng(0)))
    constraints = (
        Constraint("macs", float(np.quantile(measured["macs"], 0.3))),
        Constraint("auc", 0.7, ">="),  # needs an evaluation
    )
    found = mined(constraints=constraints)
    assert len(found.rows) > 300
    assert (PATHS.measure(found.rows)["macs"] <= constraints[0].bound).all()
    assert not np.array_equal(found.rows[:50], mined().rows[:50])


def test_a_space_of_few_networks_is_mined_out():
    paths = Paths(TINY)
    everything = set(map(tuple, paths.genes(paths.sample(5000, np.random.default_rng(0))).tolist()))
    found = mined(Mining(10, 5, 8, 4, 50, dropped=0), paths=paths)
    assert networks(found) == everything


def test_nothing_is_predicted_in_vain():
    predictor = TablePredictor(Paths(TINY).symbols)
    mined(Mining(100, 5, 8, 4, 50, dropped=0), paths=Paths(TINY), predictor=predictor)
    assert predictor.asked <= 100


class NoNumber:
    def predict(self, genes):
        return np.full(len(genes), np.nan)


def test_failures():
    with pytest.raises(UserError, match="no finite loss"):
        mined(predictor=NoNumber())
    with pytest.raises(UserError, match="no candidate keeps macs<=1"):
        mined(constraints=(Constraint("macs", 1),))
    for numbers, message in (
        ({"steps": -1}, "steps must be 0 or more"),
        ({"chains": 0}, "chains must be 1 or more"),
        ({"mutants": 5}, "kept must be at most the 5 mutants, not 10"),
        ({"dropped": 1.0}, "dropped must be a share"),
    ):
        with pytest.raises(UserError, match=message):
            Mining(**numbers)
