"""The predictor of the paths of a space, with all that its options ask for."""

from typing import Any

import numpy as np

from recfactory.predictor.isomorphism import renumber
from recfactory.predictor.kinds import kinds_of
from recfactory.predictor.options import PredictorOptions
from recfactory.predictor.predictor import Predictor, fit_predictor
from recfactory.search.candidates import AnyRows, Paths
from recfactory.search.objectives import Floats
from recfactory.space.cost import macs
from recfactory.space.genes import Rows
from recfactory.space.space import Space


def fit_on_space(
    space: Space,
    genes: AnyRows,
    losses: Floats,
    options: PredictorOptions = PredictorOptions(),  # noqa: B008, frozen
    seed: int = 0,
) -> Predictor:
    """As `fit_predictor`, for paths of a space.

    Args:
        space: that the paths lie in.
        genes: their effective genes, `(n, length)`.
        losses: of the trials, `(n,)`; small for good ones.
        options: what is made.
        seed: of all draws.

    Raises:
        UserError: as of `fit_predictor`.
    """
    pretrain: tuple[Rows, Any] | None = None
    paths = Paths(space)
    if options.pretrain:
        rows = paths.sample(options.pretrain_rows, np.random.default_rng((seed, 0)))
        pretrain = paths.genes(rows), macs(space, rows)

    def augment(genes: Rows, rng: np.random.Generator) -> Rows:
        return renumber(space, genes, rng)

    return fit_predictor(paths.symbols, genes, losses, options, seed, pretrain, augment, kinds_of(space))
