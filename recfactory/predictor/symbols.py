"""Genes as one-hot rows: a place for each symbol of each column, column by column."""

from collections.abc import Sequence

import numpy as np
import numpy.typing as npt
from scipy import sparse

from recfactory.errors import UserError
from recfactory.search.candidates import AnyRows


def one_hot(symbols: Sequence[int], genes: AnyRows) -> sparse.csr_matrix:
    """Genes with a 1 in the place of each symbol.

    Sparse, as a product with it adds up few rows of the other matrix; it needs no threads, which a small
    dense product would wait for on a busy machine.

    Args:
        symbols: how many symbols each column holds.
        genes: `(n, length)`.

    Returns:
        `(n, sum(symbols))`.

    Raises:
        UserError: when the genes are of another length, or a symbol is out of its column's range.
    """
    counts = np.array(symbols, np.int32)
    if genes.ndim != 2 or genes.shape[1] != len(counts):
        raise UserError(f"predictor: genes must be (n, {len(counts)}), these are {genes.shape}")
    wrong = (genes < 0) | (genes >= counts)
    if wrong.any():
        row, column = np.argwhere(wrong)[0]
        raise UserError(
            f"predictor: genes of row {row}, column {column} must be 0 to {counts[column] - 1}, "
            f"not {genes[row, column]}"
        )
    places = (genes + (np.cumsum(counts, dtype=np.int32) - counts)).reshape(-1)
    stops = np.arange(0, places.size + 1, len(counts), dtype=np.int32)
    return sparse.csr_matrix(
        (np.ones(places.size, np.float32), places, stops), shape=(len(genes), int(counts.sum()))
    )


def places_of(symbols: Sequence[int], columns: Sequence[int]) -> npt.NDArray[np.int64]:
    """The places of the symbols of some columns."""
    starts = np.cumsum([0, *symbols])
    return np.concatenate([np.arange(starts[at], starts[at + 1]) for at in columns])
