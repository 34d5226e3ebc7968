"""Measures what lies between two shots at the paper's size: predictor, mining, Farthest Greedy Path Sampling.

What the first shot found is made up: each gene's symbols add to the loss what was drawn for them. The time
does not depend on it.
"""

from typing import Any

import numpy as np

from recfactory.predictor.on_space import fit_on_space
from recfactory.predictor.options import PredictorOptions
from recfactory.search.candidates import AnyRows, Paths
from recfactory.search.choice import choose
from recfactory.search.farthest import Farthest
from recfactory.search.feasible import Floats
from recfactory.search.mining import Mining, Predictor
from recfactory.search.objectives import Objective
from recfactory.search.trial import FIRST, Trial
from recfactory.space.space import PRESETS, Space

NUMBERS, FIELDS = 13, 26
TRIALS = 500
NOISE = 0.3
"""Of a trial's loss, beside what its genes add up to."""


def bench_two_shot(
    trials: int = TRIALS, mining: Mining | None = None, farthest: Farthest | None = None
) -> dict[str, Any]:
    """Chooses the second shot's paths in NASRec-Full over 13 numbers and 26 fields.

    Args:
        trials: of the first shot.
        mining: numbers of that step; default: the paper's.
        farthest: likewise.

    Returns:
        What `choose` reports, with `seconds` of each step, and `entropy_ratio` of the chosen set over all
        that evolution found.
    """
    space, rng = Space(NUMBERS, FIELDS, **PRESETS["full"]), np.random.default_rng(0)
    paths = Paths(space)

    def fit(symbols: tuple[int, ...], genes: AnyRows, losses: Floats) -> Predictor:
        return fit_on_space(space, genes, losses, PredictorOptions(), 0)

    rows = paths.sample(trials, rng)
    genes = paths.genes(rows)
    worth = rng.normal(size=(genes.shape[1], max(paths.symbols)))
    losses = worth[np.arange(genes.shape[1]), genes].sum(axis=1) + NOISE * rng.normal(size=trials)
    told = [
        Trial(tuple(row), FIRST, {"loss": loss})
        for row, loss in zip(rows.tolist(), losses.tolist(), strict=True)
    ]
    objective = Objective("loss", "min")
    report = choose(paths, told, objective, (), fit, mining or Mining(), farthest or Farthest(), 0).report
    return {**report, "entropy_ratio": report["entropy"]["chosen"] / report["entropy"]["evolution"]}
