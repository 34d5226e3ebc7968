"""Several operators in a block at once: nothing to be found, but something to train a supernet on."""

from dataclasses import dataclass

import numpy as np

from recfactory.space.path import Path
from recfactory.space.sampling import largest
from recfactory.space.space import Space

Operators = tuple[tuple[str, ...], tuple[str, ...]]


@dataclass(frozen=True)
class Mixture(Path):
    """A path whose blocks run several operators of a stream and average what they make.

    Args:
        mixed: the dense and the sparse operators of each block.
    """

    mixed: tuple[Operators, ...] = ()

    def operators(self, number: int) -> Operators:
        """The dense and the sparse operators of a block."""
        return self.mixed[number - 1]


def full_mixture(space: Space) -> Mixture:
    """The largest path with all operators in every block ("full supernet", NASRec section 3.3)."""
    everything = (space.dense_operators, space.sparse_operators)
    return Mixture(space, largest(space).blocks, (everything,) * space.blocks)


def any_operators(path: Path, rng: np.random.Generator) -> Mixture:
    """A path with each other operator added to each block with probability 1/2 ("any operator")."""
    space = path.space
    mixed = []
    for block in path.blocks:
        chosen = (block.dense_operator, block.sparse_operator)
        streams = zip((space.dense_operators, space.sparse_operators), chosen, strict=True)
        dense, sparse = (
            tuple(name for name in names if name == own or rng.random() < 0.5) for names, own in streams
        )
        mixed.append((dense, sparse))
    return Mixture(space, path.blocks, tuple(mixed))
