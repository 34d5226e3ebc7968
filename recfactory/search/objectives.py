"""What a search is after: objectives, each with its direction, and constraints, kept apart from them."""

import math
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Literal

import numpy as np
import numpy.typing as npt

from recfactory.errors import UsageError

Floats = npt.NDArray[np.float64]
OF_HARDWARE = ("energy_j", "latency_s", "area_m2")
"""Scores of a candidate with hardware."""
SHORT = {"energy": "energy_j", "latency": "latency_s", "area": "area_m2"}
"""Other names of scores."""


@dataclass(frozen=True)
class Objective:
    """A score that shall be small or large.

    Args:
        name: of the score.
        direction: min or max.

    Raises:
        UsageError: when the direction is another.
    """

    name: str
    direction: Literal["min", "max"] = "min"

    def __post_init__(self) -> None:
        if self.direction not in ("min", "max"):
            raise UsageError(f"objective {self.name}: its direction is min or max, not '{self.direction}'")

    def loss(self, scores: Mapping[str, float]) -> float:
        """The score as a number that shall be small."""
        value = float(scores[self.name])
        return value if self.direction == "min" else -value


@dataclass(frozen=True)
class Constraint:
    """A bound on a score.

    Args:
        name: of the score.
        bound: it keeps to.
        side: whether the score is at most or at least the bound.
    """

    name: str
    bound: float
    side: Literal["<=", ">="] = "<="

    def excess(self, values: Any) -> Floats:
        """By what share of the bound it is broken; 0 where it is kept.

        Args:
            values: of the score, `(n,)` or one.

        Returns:
            As many.
        """
        over = np.asarray(values, np.float64) - self.bound
        return np.maximum(over if self.side == "<=" else -over, 0.0) / (abs(self.bound) or 1.0)

    def __str__(self) -> str:
        return f"{self.name}{self.side}{self.bound:g}"


def parse_constraint(text: str) -> Constraint:
    """A constraint such as `macs<=200000`.

    Raises:
        UsageError: when it is written otherwise.
    """
    match = re.fullmatch(r"\s*(\w+)\s*(<=|>=)\s*(\S+)\s*", text)
    try:
        bound = float(match[3]) if match else math.nan
    except ValueError:
        bound = math.nan
    if match is None or not math.isfinite(bound):
        raise UsageError(f"constraint '{text}': write NAME<=NUMBER or NAME>=NUMBER, such as macs<=200000")
    return Constraint(match[1], bound, "<=" if match[2] == "<=" else ">=")


def total_excess(constraints: Sequence[Constraint], scores: Mapping[str, float]) -> float:
    """By how much a trial breaks constraints; 0 where it keeps them.

    Args:
        constraints: those on scores that the trial does not have need no evaluation, see `feasible.py`.
        scores: of the trial.
    """
    return sum(float(one.excess(scores[one.name])) for one in constraints if one.name in scores)


def badness(
    objective: Objective, constraints: Sequence[Constraint], scores: Mapping[str, float]
) -> tuple[float, float]:
    """What trials are ordered by, the best first: by how much they break constraints, then their loss.

    Args:
        objective: the only one.
        constraints: of the search.
        scores: of a trial that worked.
    """
    return total_excess(constraints, scores), objective.loss(scores)


def only_objective(objectives: Sequence[Objective], sampler: str) -> Objective:
    """The one objective that a sampler can have.

    Args:
        objectives: that it was given.
        sampler: its name.

    Raises:
        UsageError: when it was given none or several.
    """
    if len(objectives) != 1:
        names = " and ".join(objective.name for objective in objectives) or "none"
        raise UsageError(f"{sampler} takes one objective, not {names}; for several, use pareto")
    return objectives[0]


def check_constraints(constraints: Sequence[Constraint]) -> None:
    """Refuses constraints that no candidate can keep.

    Raises:
        UsageError: when two contradict each other.
    """
    for most in constraints:
        for least in constraints:
            if (most.name, most.side, least.side) == (least.name, "<=", ">=") and least.bound > most.bound:
                raise UsageError(
                    f"the constraints {most} and {least} contradict each other; drop one of them"
                )
