"""What samplers suggest and are told."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

FIRST, SECOND, ALONE, AGAIN = "first", "second", "alone", "again"
"""Stages: scored in the first shot's supernet, in the second's, trained alone, trained alone once more."""


@dataclass(frozen=True)
class Suggestion:
    """A candidate that shall be evaluated.

    Args:
        row: its genes (see `recfactory/space/genes.py`).
        stage: how it is evaluated.
    """

    row: tuple[int, ...]
    stage: str = FIRST


@dataclass(frozen=True)
class Trial:
    """A suggestion that was evaluated.

    Args:
        row: as suggested.
        stage: as suggested.
        scores: by name; None when the evaluation failed.
    """

    row: tuple[int, ...]
    stage: str
    scores: Mapping[str, float] | None

    def to_dict(self) -> dict[str, Any]:
        """The trial as JSON values."""
        scores = None if self.scores is None else {name: float(score) for name, score in self.scores.items()}
        return {"row": list(map(int, self.row)), "stage": self.stage, "scores": scores}

    @classmethod
    def from_dict(cls, values: Mapping[str, Any]) -> "Trial":
        """The trial that `to_dict` described."""
        return cls(tuple(values["row"]), values["stage"], values["scores"])
