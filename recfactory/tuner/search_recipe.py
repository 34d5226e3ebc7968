"""All numbers of a search, and what they are for a budget."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Literal

from recfactory.search.farthest import Farthest
from recfactory.search.mining import Mining
from recfactory.search.objectives import parse_constraint
from recfactory.settings import read_settings, require
from recfactory.supernet.score import Scoring
from recfactory.supernet.shot import ShotRecipe
from recfactory.training.recipe import EMBEDDING_L2, Recipe
from recfactory.tuner.costs import Costs

SCORES = ("logloss", "auc", "macs", "params")
"""Of a path; any can be an objective."""
OF_HARDWARE = ("energy_j", "latency_s", "area_m2")
"""Scores of a candidate with hardware."""
BOUNDED = ("utilisation",)
"""The same, but for constraints alone."""
SHORT = {"energy": "energy_j", "latency": "latency_s", "area": "area_m2"}
"""Other names of scores."""
_NEEDS_HARDWARE = f" (with hardware also of {', '.join(OF_HARDWARE)})"
TWO_SHOT = ("fgps",)
"""Oracles that train a second supernet."""
FROM_START = ("pareto", "random")
"""Those that can start from known paths."""
FINALISTS, MINING, TRIALS, SHOTS = 0.4, 0.1, 0.2, 0.4
"""Shares of a budget: what finalists and mining take, what trials get at least, what shots take at most."""
FIRST_SHOT = 0.3
"""Share of two shots that the first gets: it finds the region, the second ranks the paths that can win."""
AGAIN = 1 / 3
"""Share of finalists, the best, that are trained once more."""
FEW_TRIALS = 20
"""That a search has at least."""
FEW = 5
"""Of fewer finalists none is trained once more: one alone would not be compared with anything."""
MOST_EPOCHS = 12
"""Of a supernet: what embeddings know of single rows by heart hides which paths are good."""
MINED_PER_SECOND, MOST_MINED = 3_000, 200_000
"""Paths; at most as many as the paper's."""
ROUNDS = Farthest.size // Farthest.moved
"""In which paths are chosen."""
STEPS_PER_CHOSEN = 10
"""Steps of the second shot for each path of its set; the paper has about 13."""
MOST_SEED = 2_000_000_000
"""Seeds of trainings are made from it by adding some thousands."""
MOST_FINALISTS = 15
"""As in NASRec."""


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
        again: of them, the best, that are trained once more with another seed; the mean of both counts.
        shot: how supernets are trained.
        second: how that of the second shot is, where it is trained otherwise; of no meaning for one shot.
        scoring: how paths are scored in them.
        final: how a finalist is trained: with each of these, and the best counts.
        mining: as of `Mining`.
        farthest: as of `Farthest`.
        options: further numbers of the oracle.
        hardware: bits and machines that are searched too, as of `Hardware.from_dict`; None for paths alone.
        start: paths as of `Path.to_dict`, that a Pareto search starts from, or half of a random search has.
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


def as_asked(asked: Mapping[str, Any]) -> SearchRecipe:
    """The recipe of a search whose budget is not known yet, trials and finalists enough for what is asked.

    Args:
        asked: entries of `SearchRecipe`, nested ones as mappings.

    Raises:
        UserError: for entries that cannot be.
    """
    enough = {"trials": _trials(asked, 0), "finalists": max(SearchRecipe.finalists, _number(asked, "again"))}
    return read_settings(SearchRecipe, {**enough, **asked}, "search")


def complete(asked: Mapping[str, Any], minutes: float, costs: Costs, steps: int) -> SearchRecipe:
    """The recipe of a search with a budget; what is asked for stays, the rest follows from the budget.

    Args:
        asked: entries of `SearchRecipe`, nested ones as mappings.
        minutes: of processor time.
        costs: measured.
        steps: of an epoch of a supernet.
    """
    default, seconds = SearchRecipe(), 60 * minutes
    two_shot = asked.get("oracle", default.oracle) in TWO_SHOT
    once_more = _again(asked)
    once = costs.training / len(asked.get("final", default.final))  # by one recipe
    finalists = round(seconds * FINALISTS / (costs.training + once_more * once))
    if finalists < FEW:  # none is trained once more
        finalists = min(FEW - 1, round(seconds * FINALISTS / costs.training))
    finalists = asked.get("finalists", max(2, min(MOST_FINALISTS, finalists)))
    again = round(once_more * finalists) if finalists >= FEW else 0
    mining = min(seconds * MINING, MOST_MINED / MINED_PER_SECOND) if two_shot else 0.0
    left = seconds - finalists * costs.training - again * once - mining
    training = min(seconds * SHOTS, left - seconds * TRIALS)
    epochs = _epochs(asked, training / costs.epoch, two_shot)
    left -= sum(epochs) * costs.epoch
    paths = max(2_000, round(mining * MINED_PER_SECOND))
    budget: dict[str, Any] = {
        "trials": _trials(asked, round(left / costs.score)),
        "finalists": finalists,
        "again": again,
        "shot": {**default.shot.to_dict(), "epochs": epochs[0]},
        "mining": {"initial": paths // 10, "steps": paths // Mining.kept},
        "farthest": _farthest(epochs[-1] * steps // STEPS_PER_CHOSEN),
    }
    nested = {name: {**budget[name], **asked.get(name, {})} for name in ("shot", "mining", "farthest")}
    if two_shot:
        nested["second"] = {**nested["shot"], "epochs": epochs[-1], **(asked.get("second") or {})}
    return read_settings(SearchRecipe, {**budget, **asked, **nested}, "search")


def _trials(asked: Mapping[str, Any], paid: int) -> int:
    """What can be paid, but some in each shot where the first one's number is asked for."""
    return max(FEW_TRIALS, paid, _number(asked, "first") + FEW_TRIALS // 2)


def _number(asked: Mapping[str, Any], name: str) -> int:
    """What is asked for; 0 where nothing is, or what is no number, as is told later."""
    value = asked.get(name)
    return value if isinstance(value, int) else 0


def _epochs(asked: Mapping[str, Any], paid: float, two_shot: bool) -> list[int]:
    """Of each shot: what is asked for, else what can be paid."""
    shot, second = asked.get("shot", {}), asked.get("second") or {}
    shares = [FIRST_SHOT, 1 - FIRST_SHOT] if two_shot else [1.0]
    epochs = [max(1, min(MOST_EPOCHS, round(paid * share))) for share in shares]
    if "epochs" in shot:
        epochs = [shot["epochs"]] * len(epochs)
    return [*epochs[:-1], second["epochs"]] if two_shot and "epochs" in second else epochs


def _again(asked: Mapping[str, Any]) -> float:
    """The share of finalists trained once more: of a front there is no best one, unless a rule says so."""
    several = len(asked.get("objectives", SearchRecipe.objectives)) > 1
    return 0.0 if several and asked.get("rule") != "best" else AGAIN


def _farthest(size: int) -> dict[str, int]:
    """Farthest Greedy Path Sampling of a set of this size, in about as many rounds as the paper's.

    A round moves the paper's share of what it draws, so that a small set is as different as a large one.
    """
    size = min(Farthest.size, max(100, size))
    moved = max(1, round(size / ROUNDS))
    return {"size": size, "drawn": moved * Farthest.drawn // Farthest.moved, "moved": moved}
