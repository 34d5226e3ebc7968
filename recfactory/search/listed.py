"""Candidates that are known beforehand, such as the finalists of a search."""

from collections.abc import Sequence
from typing import Any

import numpy as np

from recfactory.search.proposer import Proposer
from recfactory.space.genes import Rows


class Listed(Proposer):
    """Candidates in the order of a list, and no random ones after it.

    Args:
        rows: the list; repeated networks and those that break a constraint are left out.
        **options: as of `Proposer`.
    """

    def __init__(self, rows: Sequence[Sequence[int]], **options: Any) -> None:
        super().__init__(**options)
        self.rows = self._different(rows)

    @property
    def done(self) -> bool:
        """Whether the list is at its end."""
        return len(self.suggested) == len(self.rows)

    def propose(self, count: int, rng: np.random.Generator) -> Rows:
        """The rest of the list."""
        return np.asarray(self.rows[len(self.suggested) :][:count], np.int16)
