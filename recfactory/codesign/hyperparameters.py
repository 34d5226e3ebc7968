"""Candidates of a co-design as keras-tuner hyperparameters, beside those of their paths."""

from collections.abc import Iterator
from typing import TYPE_CHECKING, Any

import numpy as np
import numpy.typing as npt

from recfactory.codesign.designs import Design, Designs
from recfactory.errors import UserError
from recfactory.space import hyperparameters as of_paths
from recfactory.space.genes import decode, encode

if TYPE_CHECKING:
    from keras_tuner import HyperParameters

AnyRow = npt.NDArray[np.integer[Any]]


def declare(designs: Designs, hp: "HyperParameters") -> None:
    """Registers the genes of a co-design with keras-tuner.

    Names are those of paths, `block_3/dense/weight_bits`, `embedding_bits` and `machine/rows`.

    Args:
        designs: to search.
        hp: empty.
    """
    of_paths.declare(designs.space, hp)
    for name, values in _choices(designs):
        hp.Choice(name, values)


def to_hyperparameters(designs: Designs, row: AnyRow) -> "HyperParameters":
    """The hyperparameters of a candidate.

    Args:
        designs: that it is one of.
        row: its genes.
    """
    (path,) = decode(designs.space, row[np.newaxis, designs.columns.path])
    hp = of_paths.to_hyperparameters(path)
    for symbol, (name, values) in zip(row[designs.columns.path.stop :], _choices(designs), strict=True):
        hp.Choice(name, values)
        hp.values[name] = values[symbol]
    return hp


def from_hyperparameters(designs: Designs, hp: "HyperParameters") -> Design:
    """The candidate of hyperparameters; those of other names are left alone.

    Raises:
        UserError: when a gene has no value, or one that cannot be chosen.
    """
    (path,) = encode([of_paths.from_hyperparameters(designs.space, hp)])
    symbols = []
    for name, values in _choices(designs):
        value = hp.values.get(name)
        if value not in values:
            told = f"is {value!r}" if name in hp.values else "is missing"
            raise UserError(f"hyperparameter {name} {told}; there are {', '.join(map(str, values))}")
        symbols.append(values.index(value))
    (design,) = designs.decode(np.concatenate([path, symbols])[np.newaxis].astype(np.int16))
    return design


def _choices(designs: Designs) -> Iterator[tuple[str, list[Any]]]:
    """The columns of a row behind those of the path: names, and the value of each symbol."""
    hardware = designs.hardware
    for name in ("weight_bits", "activation_bits"):
        for number, role in designs.columns.slots:
            yield f"block_{number}/{role}/{name}", list(getattr(hardware, name))
    yield "embedding_bits", list(hardware.embedding_bits)
    for name, values in hardware.choices.items():
        yield f"machine/{name}", list(map(str, values))  # keras-tuner's are of one type, and never null
