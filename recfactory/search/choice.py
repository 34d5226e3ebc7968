"""What the second shot is trained on: good and different candidates, found from the trials of the first."""

import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from typing import Any, NamedTuple

import numpy as np

from recfactory.search.candidates import AnyRows, Candidates
from recfactory.search.entropy import entropy
from recfactory.search.farthest import Farthest, Places, choose_farthest
from recfactory.search.feasible import Floats, sample_feasible
from recfactory.search.mining import Losses, Mined, Mining, Predictor, mine
from recfactory.search.objectives import Constraint, Objective
from recfactory.search.trial import Trial
from recfactory.space.genes import Rows

Fit = Callable[[tuple[int, ...], AnyRows, Floats], Predictor]
"""Makes a predictor from how many symbols each column of genes can hold, genes `(n, length)` and losses."""
LEAST = 5
"""Trials without which a predictor has nothing to learn from."""


class Choice(NamedTuple):
    """A set of candidates.

    Args:
        rows: `(n, length)`.
        report: how it was found, as JSON values: `trials` learned from, `kendall` of the predictor if it has
            one, candidates `mined` and `chosen`, `seconds` of each step, and of the chosen set beside others
            the `entropy` in bits (see `entropy.py`) and the mean loss `predicted`. `evolution` is all that
            was mined, evolution's own set; `greedy` the best of it, `random` is of the space, `farthest` is
            chosen from random candidates as the chosen set is from mined ones. Where nothing is chosen there
            are `trials` and `chosen` alone.
    """

    rows: Rows
    report: dict[str, Any]


def choose(
    candidates: Candidates,
    trials: Sequence[Trial],
    objective: Objective,
    constraints: Sequence[Constraint],
    fit: Fit,
    mining: Mining,
    farthest: Farthest,
    seed: int,
) -> Choice:
    """Fits a predictor to trials, mines what it holds for good and chooses different ones of that.

    Args:
        candidates: to choose from.
        trials: of the first shot; failed ones are left out.
        objective: that is predicted.
        constraints: those that need no evaluation are kept by all that is chosen.
        fit: makes the predictor.
        mining: numbers of the second step.
        farthest: numbers of the third.
        seed: of all draws.

    Returns:
        The same for the same arguments, but for the seconds; nothing chosen where too few trials worked.

    Raises:
        UserError: when no candidate keeps the constraints.
    """
    worked = [(trial.row, objective.loss(trial.scores)) for trial in trials if trial.scores is not None]
    if len(worked) < LEAST:
        return Choice(candidates.sample(0, np.random.default_rng(seed)), {"trials": len(worked), "chosen": 0})
    seconds: dict[str, float] = {}
    rows, losses = zip(*worked, strict=True)
    with _timed(seconds, "predictor"):
        predictor = fit(candidates.symbols, candidates.genes(np.array(rows)), np.array(losses))
    with _timed(seconds, "mining"):
        mined = mine(candidates, constraints, predictor, mining, np.random.default_rng((seed, 0)))
    with _timed(seconds, "choosing"):
        columns = mined.genes if farthest.over == "genes" else mined.rows
        chosen = choose_farthest(columns, farthest, np.random.default_rng((seed, 1)))
    with _timed(seconds, "comparing"):
        rng = np.random.default_rng((seed, 2))
        sets = _sets(candidates, constraints, predictor, mined, chosen, farthest, rng)
        entropies = {name: entropy(genes) for name, (genes, _) in sets.items()}
        predicted = {name: float(losses.mean()) for name, (_, losses) in sets.items()}
    report = {
        "trials": len(worked),
        "kendall": getattr(predictor, "kendall", None),
        "mined": len(mined.rows),
        "chosen": len(chosen),
        "seconds": seconds,
        "entropy": entropies,
        "predicted": predicted,
    }
    return Choice(mined.rows[chosen], report)


def _sets(
    candidates: Candidates,
    constraints: Sequence[Constraint],
    predictor: Predictor,
    mined: Mined,
    chosen: Places,
    farthest: Farthest,
    rng: np.random.Generator,
) -> dict[str, tuple[Rows, Losses]]:
    """The chosen set and those beside it in the report: genes and predicted losses."""
    best = mined.losses.argsort(kind="stable")[: len(chosen)]
    drawn = candidates.genes(sample_feasible(candidates, constraints, len(mined.genes), rng))
    random, far = drawn[: len(chosen)], drawn[choose_farthest(drawn, farthest, rng)]
    return {
        "chosen": (mined.genes[chosen], mined.losses[chosen]),
        "evolution": (mined.genes, mined.losses),
        "greedy": (mined.genes[best], mined.losses[best]),
        "random": (random, predictor.predict(random)),
        "farthest": (far, predictor.predict(far)),
    }


@contextmanager
def _timed(seconds: dict[str, float], step: str) -> Iterator[None]:
    begin = time.perf_counter()
    yield
    seconds[step] = time.perf_counter() - begin
