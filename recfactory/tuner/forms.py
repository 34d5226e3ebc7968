"""Candidates in keras-tuner's form: paths, or designs of a co-design."""

from typing import Any

import keras_tuner as kt
import numpy as np
import numpy.typing as npt

from recfactory.codesign import hyperparameters as of_designs
from recfactory.codesign.designs import Design, Designs
from recfactory.quantise.precision import Precision
from recfactory.search.candidates import Paths
from recfactory.space import hyperparameters as of_paths
from recfactory.space.genes import decode
from recfactory.space.path import Path

Searched = Paths | Designs
Candidate = Path | Design


def declare(searched: Searched, hp: kt.HyperParameters) -> None:
    """Registers the genes of candidates with keras-tuner.

    Args:
        searched: the candidates.
        hp: empty.
    """
    if isinstance(searched, Designs):
        of_designs.declare(searched, hp)
    else:
        of_paths.declare(searched.space, hp)


def to_hyperparameters(searched: Searched, row: npt.NDArray[np.integer[Any]]) -> kt.HyperParameters:
    """The hyperparameters of a candidate.

    Args:
        searched: that it is one of.
        row: its genes.
    """
    if isinstance(searched, Designs):
        return of_designs.to_hyperparameters(searched, row)
    (path,) = decode(searched.space, row[np.newaxis])
    return of_paths.to_hyperparameters(path)


def from_hyperparameters(searched: Searched, hp: kt.HyperParameters) -> Candidate:
    """The candidate of hyperparameters; those of other names are left alone.

    Raises:
        UserError: when a gene has no value, or one that there is not.
    """
    if isinstance(searched, Designs):
        return of_designs.from_hyperparameters(searched, hp)
    return of_paths.from_hyperparameters(searched.space, hp)


def parts_of(candidate: Candidate) -> tuple[Path, Precision | None]:
    """The path of a candidate, and how it computes where that is not float32."""
    if not isinstance(candidate, Design):
        return candidate, None
    return candidate.path, candidate.precision if candidate.precision.bits else None
