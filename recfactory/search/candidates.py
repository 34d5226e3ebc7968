"""The candidates that a sampler can suggest, as rows of genes: drawn, varied, compared and measured."""

from collections.abc import Mapping, Sequence
from typing import Any, Protocol

import numpy as np
import numpy.typing as npt

from recfactory.space import cost
from recfactory.space.effective import effective
from recfactory.space.genes import Rows, choices, decode
from recfactory.space.path import Path
from recfactory.space.sampling import sample_uniform
from recfactory.space.space import Space
from recfactory.space.variation import crossover, mutate

AnyRows = npt.NDArray[np.integer[Any]]


class Candidates(Protocol):
    """What samplers ask of a space; all over many rows `(n, length)` at once."""

    @property
    def symbols(self) -> tuple[int, ...]:
        """How many symbols each column of `genes` can hold."""

    def sample(self, count: int, rng: np.random.Generator) -> Rows:
        """Random candidates."""

    def mutate(self, rows: AnyRows, rng: np.random.Generator, mutations: int = 1) -> Rows:
        """A mutant of each."""

    def crossover(self, one: AnyRows, other: AnyRows, rng: np.random.Generator) -> Rows:
        """A child of each pair."""

    def genes(self, rows: AnyRows) -> Rows:
        """Their effective genes: equal candidates have equal ones."""

    def architectures(self, rows: AnyRows) -> Rows:
        """The genes of what is trained: candidates that have equal ones share all but what they run on."""

    def measure(self, rows: AnyRows) -> Mapping[str, npt.NDArray[Any]]:
        """Scores that need no evaluation, by name, `(n,)` each."""

    def decode(self, rows: AnyRows) -> Sequence[Any]:
        """What the rows stand for; raises a `UserError` for a row that is no candidate."""


class Paths:
    """The paths of a space.

    Args:
        space: to search.
    """

    def __init__(self, space: Space) -> None:
        self.space = space

    @property
    def symbols(self) -> tuple[int, ...]:
        """How many symbols each column of `genes` can hold."""
        return tuple(count + 1 for count in choices(self.space))

    def sample(self, count: int, rng: np.random.Generator) -> Rows:
        """Random paths; each number of sources is as likely as another (NASRec's evolution)."""
        return sample_uniform(self.space, count, rng)

    def mutate(self, rows: AnyRows, rng: np.random.Generator, mutations: int = 1) -> Rows:
        """A mutant of each."""
        return mutate(self.space, rows, rng, mutations)

    def crossover(self, one: AnyRows, other: AnyRows, rng: np.random.Generator) -> Rows:
        """A child of each pair."""
        return crossover(self.space, one, other, rng)

    def genes(self, rows: AnyRows) -> Rows:
        """Their effective genes: equal networks have equal ones."""
        return effective(self.space, rows)

    def architectures(self, rows: AnyRows) -> Rows:
        """Their genes: a path is what is trained."""
        return self.genes(rows)

    def measure(self, rows: AnyRows) -> Mapping[str, npt.NDArray[Any]]:
        """`macs` and `params`."""
        return {"macs": cost.macs(self.space, rows), "params": cost.params(self.space, rows)}

    def decode(self, rows: AnyRows) -> list[Path]:
        """The paths of rows."""
        return decode(self.space, rows)
