"""Paths as keras-tuner hyperparameters: one for each gene, and any combination of their values is a path."""

from collections.abc import Iterator
from itertools import combinations
from typing import TYPE_CHECKING, Any

from recfactory.errors import UserError
from recfactory.space.path import Block, Path
from recfactory.space.space import Space

if TYPE_CHECKING:
    from keras_tuner import HyperParameters

Gene = tuple[str, str, tuple[Any, ...]]
"""The name of a hyperparameter, the field of `Block` that it is, and the values that it can have."""


def declare(space: Space, hp: "HyperParameters") -> Path:
    """Registers the genes of a space with keras-tuner, to be called in a tuner's `build(hp)`.

    Names are like `block_3/dense_operator`. What a block concatenates is a choice among the subsets there
    are, such as `0+2`, so that any values an oracle draws are a path.

    Args:
        space: to search.
        hp: of a trial, or empty.

    Returns:
        The path of the current values of `hp`.
    """
    for number in range(1, space.blocks + 1):
        for name, field, values in _genes(space, number):
            if isinstance(values[0], bool):
                hp.Boolean(name)
            else:
                hp.Choice(name, list(values), ordered=field.endswith("_dim"))
    return from_hyperparameters(space, hp)


def to_hyperparameters(path: Path) -> "HyperParameters":
    """The hyperparameters of a path: all genes of its space, with its values."""
    from keras_tuner import HyperParameters

    hp = HyperParameters()
    declare(path.space, hp)
    for number, block in enumerate(path.blocks, 1):
        for name, field, _ in _genes(path.space, number):
            value = getattr(block, field)
            hp.values[name] = _text(value) if isinstance(value, tuple) else value
    return hp


def from_hyperparameters(space: Space, hp: "HyperParameters") -> Path:
    """The path of hyperparameters; those of other names are left alone.

    Args:
        space: that the path lies in.
        hp: with a value for every gene.

    Raises:
        UserError: when a gene has no value, or one that the space does not have.
    """
    blocks = []
    for number in range(1, space.blocks + 1):
        block: dict[str, Any] = {}
        for name, field, values in _genes(space, number):
            value = hp.values.get(name)
            if value not in values:
                known = ", ".join(map(str, values))
                told = f"is {value!r}" if name in hp.values else "is missing"
                raise UserError(f"hyperparameter {name} {told}; the space has {known}")
            block[field] = tuple(map(int, value.split("+"))) if field.endswith("_sources") else value
        blocks.append(Block(**block))
    return Path(space, tuple(blocks))


def _genes(space: Space, number: int) -> Iterator[Gene]:
    most = min(space.max_sources, number)
    subsets = tuple(
        _text(subset) for size in range(1, most + 1) for subset in combinations(range(number), size)
    )
    values: dict[str, tuple[Any, ...]] = {
        "dense_operator": space.dense_operators,
        "dense_dim": space.dense_dims,
        "sparse_operator": space.sparse_operators,
        "sparse_dim": space.sparse_dims,
        "dense_sources": subsets,
        "sparse_sources": subsets,
        "left": tuple(range(number)),
        "right": tuple(range(number)),
        "dense_to_sparse": (False, True),
        "fm": (False, True),
    }
    yield from ((f"block_{number}/{field}", field, allowed) for field, allowed in values.items())


def _text(sources: tuple[int, ...]) -> str:
    return "+".join(map(str, sources))
