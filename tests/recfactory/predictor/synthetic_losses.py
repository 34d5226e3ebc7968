"""A space, and losses of its paths that follow from their networks, so that a predictor has what to learn."""

import numpy as np

from recfactory.search.candidates import Paths
from recfactory.space import Space
from recfactory.space.cost import macs
from recfactory.space.effective import activity
from recfactory.space.genes import columns

SPACE = Space(4, 6, blocks=4, dense_dims=(16, 32, 64), sparse_dims=(8, 16), embedding_dim=8, merger_tokens=4)
PATHS = Paths(SPACE)


def synthetic(count, seed, noise=0.2):
    """Genes, macs, and losses with and without noise, of random paths."""
    rng = np.random.default_rng(seed)
    rows = PATHS.sample(count, rng)
    cost, live, last = macs(SPACE, rows), activity(SPACE, rows), columns(SPACE)[-1]
    size = np.log(cost / 20_000)
    effect = 0.3 * size**2 - 0.4 * size
    for i, c in enumerate(columns(SPACE)):
        effect += live.dense[:, i] * np.array([0.0, 0.6, -0.3, -0.8])[rows[:, c.dense_operator]]
        effect -= 0.3 * live.sparse[:, i] * rows[:, c.sparse_operator]
    effect += np.array([0.8, -0.5, 0.4, -0.7])[rows[:, last.dense_operator]]
    effect -= 0.5 * rows[:, last.sparse_sources.start] * (rows[:, last.dense_dim] > 0)
    truth = 0.4 + 0.01 * effect
    return PATHS.genes(rows), cost, truth + noise * truth.std() * rng.normal(size=count), truth
