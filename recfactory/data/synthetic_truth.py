"""The structure planted in synthetic click logs: why a row is clicked."""

from dataclasses import dataclass
from functools import lru_cache

import numpy as np
import numpy.typing as npt

Floats = npt.NDArray[np.float32]
Ints = npt.NDArray[np.int64]

SIZES = (
    1000, 500, 10_000, 5000, 100, 12, 3000, 200, 10, 8000, 2000, 6000, 1500,
    24, 4000, 7000, 16, 800, 300, 20, 9000, 30, 15, 400, 60, 600,
)  # fmt: skip
"""Values of C1 .. C26."""
ZIPF = 1.05
"""The k-th most frequent value of a column has a probability proportional to k ** -ZIPF."""
RANK = 2
"""Length of the latent vectors whose products are the interactions."""

# Columns by position: dense 0 is I1, categorical 0 is C1. Interactions join columns whose values repeat often
# enough for a model to learn them from some 100,000 rows.
MAIN = (4, 5, 7, 8, 13, 16, 19, 24)
DENSE_MAIN = (1, 3, 4, 6, 10)
PAIRS = ((8, 5), (22, 16), (19, 13), (21, 8))
DENSE_PAIRS = ((1, 5), (6, 16), (8, 19))
TRIPLES = ((8, 5, 22), (16, 22, 13))
BASE, MAIN_SHARE, PAIR_SHARE, DENSE_PAIR_SHARE, TRIPLE_SHARE = -1.52, 1.20, 0.75, 0.40, 0.20
"""Intercept (a click rate near 0.25), and the variance each kind of term gives the logit."""


@dataclass(frozen=True)
class Planted:
    """The drawn effects of one seed. Index 0 of every table is a missing value.

    Args:
        cumulative: for each column its values' cumulative probabilities `(size,)`, most frequent first.
        main: for each column of `MAIN` its values' effects `(size + 1,)`.
        dense_main: slopes `(len(DENSE_MAIN),)`.
        pairs: for each of `PAIRS` the latent vectors `(size + 1, RANK)` of both sides.
        dense_pairs: for each of `DENSE_PAIRS` the slope that goes with each value `(size + 1,)`.
        triples: for each of `TRIPLES` the latent vectors of the three sides.
    """

    cumulative: tuple[npt.NDArray[np.float64], ...]
    main: tuple[Floats, ...]
    dense_main: Floats
    pairs: tuple[tuple[Floats, Floats], ...]
    dense_pairs: tuple[Floats, ...]
    triples: tuple[tuple[Floats, Floats, Floats], ...]

    def logit(self, dense: Floats, ids: Ints) -> Floats:
        """The log-odds of a click: a sum of main effects, pairs and triples.

        Args:
            dense: `(13, rows)`, about standard normal, 0 where missing.
            ids: `(26, rows)`, 0 where missing, 1 the most frequent value.

        Returns:
            `(rows,)`.
        """
        return self.linear(dense, ids) + self.interactions(dense, ids)

    def linear(self, dense: Floats, ids: Ints) -> Floats:
        """The part of the log-odds a linear model can express, as `logit` takes and gives it."""
        total = np.full(dense.shape[1], BASE, np.float32)
        for column, effect in zip(MAIN, self.main, strict=True):
            total += effect[ids[column]]
        for slope, column in zip(self.dense_main, DENSE_MAIN, strict=True):
            total += slope * dense[column]
        return total

    def interactions(self, dense: Floats, ids: Ints) -> Floats:
        """The rest of the log-odds: no single column tells anything of it."""
        total = np.zeros(dense.shape[1], np.float32)
        for (a, b), (left, right) in zip(PAIRS, self.pairs, strict=True):
            total += np.einsum("nk,nk->n", left[ids[a]], right[ids[b]])
        for (a, b), slope in zip(DENSE_PAIRS, self.dense_pairs, strict=True):
            total += dense[a] * slope[ids[b]]
        for (a, b, c), (first, second, third) in zip(TRIPLES, self.triples, strict=True):
            total += np.einsum("nk,nk,nk->n", first[ids[a]], second[ids[b]], third[ids[c]])
        return total


@lru_cache(maxsize=4)
def planted(seed: int) -> Planted:
    """Draws the effects that belong to a seed."""
    draw = np.random.Generator(np.random.Philox(key=np.array([seed, 2**64 - 1], np.uint64)))
    weights = [np.arange(1, size + 1) ** -ZIPF for size in SIZES]
    shares = [weight / weight.sum() for weight in weights]

    def table(column: int, variance: float, rank: int) -> Floats:
        """Values centred and scaled by their frequencies, so that an interaction hides no main effect."""
        share = shares[column][:, None]
        values = draw.standard_normal((SIZES[column], rank))
        values -= (share * values).sum(0)
        values *= np.sqrt(variance / (share * values**2).sum(0))
        return np.concatenate([np.zeros((1, rank)), values]).astype(np.float32)

    def sides(columns: tuple[int, ...], variance: float) -> tuple[Floats, ...]:
        each = (variance / RANK) ** (1 / len(columns))
        return tuple(table(column, each, RANK) for column in columns)

    mains = len(MAIN) + len(DENSE_MAIN)
    return Planted(
        cumulative=tuple(np.cumsum(share) for share in shares),
        main=tuple(table(column, MAIN_SHARE / mains, 1)[:, 0] for column in MAIN),
        dense_main=np.float32((MAIN_SHARE / mains) ** 0.5)
        * draw.choice([-1, 1], len(DENSE_MAIN)).astype(np.float32),
        pairs=tuple(sides(pair, PAIR_SHARE / len(PAIRS)) for pair in PAIRS),  # type: ignore[misc]
        dense_pairs=tuple(table(b, DENSE_PAIR_SHARE / len(DENSE_PAIRS), 1)[:, 0] for _, b in DENSE_PAIRS),
        triples=tuple(sides(triple, TRIPLE_SHARE / len(TRIPLES)) for triple in TRIPLES),  # type: ignore[misc]
    )
