"""Candidates that are known beforehand, such as the finalists of a search."""

from collections.abc import Sequence
from typing import Any

import numpy as np

from recfactory.search.proposer import Proposer
from recfactory.search.trial import Suggestion
from recfactory.space.genes import Rows


class Listed(Proposer):
    """Candidates in the order of a list.

    Args:
        rows: the list.
        **options: as of `Proposer`.
    """

    def __init__(self, rows: Sequence[Sequence[int]], **options: Any) -> None:
        super().__init__(**options)
        self.rows = np.asarray(rows, np.int16)

    @property
    def done(self) -> bool:
        """Whether the list is at its end."""
        return not list(self._new(self.rows))

    def suggest(self, count: int = 1) -> list[Suggestion]:
        """The next ones of the list; no random ones after it."""
        found = list(self._new(self.rows))[:count]
        self._seen |= {genes for _, genes in found}
        self.suggested += [row for row, _ in found]
        return [Suggestion(row, self.stage) for row, _ in found]

    def propose(self, count: int, rng: np.random.Generator) -> Rows:
        """The list."""
        return self.rows
