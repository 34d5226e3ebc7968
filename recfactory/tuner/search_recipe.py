"""All numbers of a search."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Literal

from recfactory.search.farthest import Farthest
from recfactory.search.mining import Mining
from recfactory.search.objectives import OF_HARDWARE, SHORT, parse_constraint
from recfactory.settings import require
from recfactory.supernet.score import Scoring
from recfactory.supernet.shot import ShotRecipe
from recfactory.training.recipe import EMBEDDING_L2, Recipe

SCORES = ("logloss", "auc", "macs", "params")
"""Of a path; any can be an objective."""
BOUNDED = ("utilisation", "adc_shortfall")
"""The same, but for constraints alone."""
FROM_START = ("pareto", "random")
"""Oracles that can start from known paths."""
MOST_SEED = 2_000_000_000
"""Seeds of trainings are made from it by adding some thousands."""
_NEEDS_HARDWARE = f" (with hardware also of {', '.join(OF_HARDWARE)})"


@dataclass(frozen=True)
class SearchRecipe:
    """A search as the user describes it and the budget completes it.

    Args:
        oracle: the algorithm.
        space: preset of the space.
        sizes: what differs from the preset, as arguments of `Space`.
        objectives: scores that shall be good.
        constraints: on scores, such as `macs<=200000`.
        seed: of everything, shots and finalists too.
        trials: scored in the supernets, all stages together.
        first: of them in the first of two supernets; None for half.
        finalists: trained alone.
        again: how many of the best are trained again with another seed; the mean of both counts.
        shot: how supernets are trained.
        second: how that of the second shot is, where it is trained otherwise; of no meaning for one shot.
        scoring: how paths are scored in them.
        final: how a finalist is trained: with each of these, and the best counts.
        mining: as of `Mining`.
        farthest: as of `Farthest`.
        options: further numbers of the oracle.
        hardware: bits and machines that are searched too, as of `Hardware.from_dict`; None for paths alone.
        start: paths as of `Path.to_dict`, that a Pareto search starts from, or half of a random search has;
            up to half of the finalists are of them.
        rule: which finalist is taken: `best` by the first objective, or the `knee` of the front; None for the
            knee of several objectives.
    """

    oracle: Literal["fgps", "evolution", "metropolis", "pareto", "random"] = "fgps"
    space: Literal["small", "full"] = "full"
    sizes: Mapping[str, Any] = field(default_factory=dict)
    objectives: tuple[str, ...] = ("logloss",)
    constraints: tuple[str, ...] = ()
    seed: int = 1
    trials: int = 200
    first: int | None = None
    finalists: int = 5
    again: int = 0
    shot: ShotRecipe = field(
        default_factory=lambda: ShotRecipe(
            optimizer="adam", learning_rate=0.001, embedding_l2=EMBEDDING_L2, patience=2
        )
    )
    second: ShotRecipe | None = None
    scoring: Scoring = field(default_factory=Scoring)
    final: tuple[Recipe, ...] = (Recipe(embedding_l2=EMBEDDING_L2),)
    mining: Mining = field(default_factory=Mining)
    farthest: Farthest = field(default_factory=Farthest)
    options: Mapping[str, Any] = field(default_factory=dict)
    hardware: Mapping[str, Any] | None = None
    start: tuple[Mapping[str, Any], ...] = ()
    rule: Literal["best", "knee"] | None = None

    def __post_init__(self) -> None:
        scores = SCORES if self.hardware is None else (*SCORES, *OF_HARDWARE)
        more = "" if self.hardware else _NEEDS_HARDWARE
        known = all(SHORT.get(name, name) in scores for name in self.objectives)
        require(
            known and len(self.objectives) > 0,
            "search: objectives",
            ", ".join(self.objectives) or "none",
            f"some of {', '.join(scores)}{more}",
        )
        scores = (*scores, *(BOUNDED if self.hardware else ()))
        for text in self.constraints:
            name = parse_constraint(text).name
            require(
                SHORT.get(name, name) in scores,
                "search: constraints",
                f"on '{name}'",
                f"on {', '.join(scores)}{more}",
            )
        require(0 <= self.seed <= MOST_SEED, "search: seed", self.seed, f"from 0 to {MOST_SEED}")
        require(self.trials >= 2, "search: trials", self.trials, "2 or more")
        if self.first is not None:
            require(0 < self.first < self.trials, "search: first", self.first, f"from 1 to {self.trials - 1}")
        require(len(self.final) > 0, "search: final", "empty", "a list of recipes")
        require(
            not self.start or self.oracle in FROM_START,
            "search: oracle",
            self.oracle,
            f"{' or '.join(FROM_START)} for a search that starts from a path",
        )
        require(self.finalists >= 1, "search: finalists", self.finalists, "1 or more")
        require(0 <= self.again <= self.finalists, "search: again", self.again, f"from 0 to {self.finalists}")
