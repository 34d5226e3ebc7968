"""Objectives as keras-tuner has them, and as the samplers have them."""

from collections.abc import Iterable, Mapping
from typing import Any

import keras_tuner as kt
import numpy as np
from keras_tuner.src.engine import objective as kt_objective

from recfactory.errors import UsageError, did_you_mean
from recfactory.search.objectives import Constraint, Objective, parse_constraint
from recfactory.tuner.forms import Searched

DIRECTIONS = {
    "val_logloss": "min",
    "val_auc": "max",
    "macs": "min",
    "params": "min",
    "energy_j": "min",
    "latency_s": "min",
    "area_m2": "min",
}
"""Of the scores that are known by name."""
OF_SUPERNETS = ("val_logloss", "val_auc")
"""Scores of a candidate that is evaluated; others are known without."""


class Several(kt_objective.MultiObjective):  # type: ignore[misc]
    """Several objectives; where keras-tuner wants one number, it is the first objective's.

    keras-tuner adds them up with signs: an AUC of .8 and 3e-6 J are -.799997. Trials are compared by Pareto
    fronts instead (see `ranking.py`). The first objective tells an epoch of a `fit` from another.

    Args:
        objectives: at least two.
    """

    def __init__(self, objectives: list[Any]) -> None:
        super().__init__(objectives)
        self.name, self.direction = objectives[0].name, objectives[0].direction

    def get_value(self, logs: Mapping[str, float]) -> float:
        """The first objective's value."""
        return logs[self.name]

    def has_value(self, logs: Mapping[str, float]) -> bool:
        """Whether it is there; others, such as macs, may be measured elsewhere."""
        return self.name in logs


def keras_tuner_objective(objective: Any) -> Any:
    """The objective of a `kt.Oracle`.

    Args:
        objective: a name such as `val_logloss`, a `kt.Objective`, or a list of these.

    Raises:
        UsageError: when it is nothing of that, when it is not known whether a score shall be small or large,
            or when one stands there twice.
    """
    if isinstance(objective, list | tuple):
        made = [keras_tuner_objective(one) for one in objective]
        names = [one.name for one in made]
        if not names or len(set(names)) != len(names):
            raise UsageError(f"objective: name each score once, not {names}")
        return Several(made) if len(made) > 1 else made[0]
    if isinstance(objective, str) and objective in DIRECTIONS:
        return kt.Objective(objective, DIRECTIONS[objective])
    try:
        return kt_objective.create_objective(objective)
    except (TypeError, ValueError):
        raise UsageError(
            f"objective {objective!r}: it is not known whether it shall be small or large; write "
            f"kt.Objective(name, 'min') or 'max', or one of {', '.join(DIRECTIONS)}"
        ) from None


def sampler_objectives(objective: Any) -> tuple[Objective, ...]:
    """The objectives of a sampler, from that of a `kt.Oracle`."""
    parts = objective.objectives if isinstance(objective, Several) else [objective]
    return tuple(Objective(part.name, part.direction) for part in parts)


def check_known(candidates: Searched, asked: Iterable[Objective | Constraint]) -> None:
    """Refuses objectives and constraints on scores that no candidate of a supernet has.

    Args:
        candidates: that are searched.
        asked: objectives and constraints.

    Raises:
        UsageError: naming the scores there are.
    """
    measured = candidates.measure(candidates.sample(1, np.random.default_rng(0)))
    known = [*OF_SUPERNETS, *measured]
    for one in asked:
        if one.name not in known:
            near = did_you_mean(one.name, known)
            raise UsageError(
                f"search: no candidate has a score '{one.name}'; there are {', '.join(known)}{near}"
            )


def sampler_constraints(constraints: Iterable[Constraint | str]) -> tuple[Constraint, ...]:
    """Constraints, also those written as text such as `macs<=200000`.

    Raises:
        UsageError: when one is written otherwise.
    """
    if isinstance(constraints, str | Constraint):
        constraints = (constraints,)
    return tuple(parse_constraint(c) if isinstance(c, str) else c for c in constraints)
