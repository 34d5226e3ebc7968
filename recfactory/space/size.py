"""How many paths a space has."""

from math import comb, prod

from recfactory.space.space import Space


def number_of_paths(space: Space) -> int:
    """The paths of a space; those that differ in inactive genes only are counted apart.

    A block that can read n sources has as many ways to choose what it concatenates of each stream as there
    are subsets of 1 to `max_sources` of them, and n ways to choose each side.

    This gives 8.1e43 for NASRec-Full. NASRec (arXiv 2207.07187) says 5e33. That is 2^112: operators, dims and
    mergers (2^70), and a bit for each earlier block and stream (2^42). It leaves out the raw inputs as a
    source, the two sides, and the limit of four sources.
    """
    operators = len(space.dense_operators) * len(space.sparse_operators)
    dims = len(space.dense_dims) * len(space.sparse_dims)
    mergers = 4
    return prod(
        operators * dims * mergers * _subsets(number, space.max_sources) ** 2 * number**2
        for number in range(1, space.blocks + 1)
    )


def _subsets(sources: int, most: int) -> int:
    return sum(comb(sources, size) for size in range(1, most + 1))
