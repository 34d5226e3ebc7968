"""Searches in one shot or two: what is scored in which supernet, and which candidates are trained alone."""

from collections.abc import Callable, Sequence
from typing import Any

from recfactory.search.candidates import AnyRows, Candidates
from recfactory.search.choice import LEAST
from recfactory.search.evolution import RegularisedEvolution
from recfactory.search.front import finalists as best_of
from recfactory.search.front import pareto_front
from recfactory.search.listed import Listed
from recfactory.search.objectives import Constraint, Objective, only_objective
from recfactory.search.random_search import RandomSearch
from recfactory.search.sampler import Sampler
from recfactory.search.spread import spread
from recfactory.search.stages import Stage, Stages
from recfactory.search.trial import AGAIN, ALONE, FIRST, SECOND, Trial

Make = Callable[[Candidates, Sequence[Objective], Sequence[Constraint], int], Sampler]
"""Makes a sampler of the first stage from candidates, objectives, constraints and a seed."""


def one_shot(
    make: Make,
    candidates: Candidates,
    objectives: Sequence[Objective],
    constraints: Sequence[Constraint] = (),
    seed: int = 0,
    *,
    trials: int,
    finalists: int,
    again: int = 0,
    by_first: bool = False,
) -> Stages:
    """A search in one supernet; the best that differ are trained alone.

    Args:
        make: the sampler that searches.
        candidates: to search.
        objectives: of the trials.
        constraints: on scores.
        seed: of all draws.
        trials: in the supernet.
        finalists: trained alone.
        again: of them are trained once more, the best.
        by_first: whether those of several objectives are the front's best by the first one; they are from all
            over the front otherwise.
    """
    arguments = candidates, objectives, constraints, seed
    return Stages(
        [
            Stage(FIRST, trials, lambda _: make(*arguments)),
            _alone(FIRST, finalists, *arguments, by_first=by_first),
            _again(again, *arguments, by_first=by_first),
        ]
    )


def two_shot(
    candidates: Candidates,
    objectives: Sequence[Objective],
    constraints: Sequence[Constraint] = (),
    seed: int = 0,
    *,
    choose: Callable[[Sequence[Trial]], AnyRows],
    first: int,
    second: int,
    finalists: int,
    again: int = 0,
    **evolution: Any,
) -> Stages:
    """Random candidates in the first supernet, evolution in the second, the best trained alone (2310.20705).

    The evolution's initial population is drawn from those that the second supernet is trained on. Where too
    few trials of the first shot worked to choose any, it is random.

    Args:
        candidates: to search.
        objectives: of the trials; exactly one.
        constraints: on scores.
        seed: of all draws.
        choose: from the trials of the first shot what the second is trained on, as rows; called again when
            the state is loaded, so that it must give the same for the same trials.
        first: trials in the first supernet.
        second: trials in the second.
        finalists: trained alone.
        again: of them are trained once more, the best.
        **evolution: as of `RegularisedEvolution`.

    Raises:
        UsageError: when there are several objectives.
    """
    only_objective(objectives, "two-shot search")
    arguments = candidates, objectives, constraints, seed

    def evolve(trials: Sequence[Trial]) -> Sampler:
        worked = sum(trial.scores is not None for trial in trials)
        start = choose(trials).tolist() if worked >= LEAST else ()
        return RegularisedEvolution(*arguments, stage=SECOND, start=start, trials=second, **evolution)

    return Stages(
        [
            Stage(FIRST, first, lambda _: RandomSearch(*arguments)),
            Stage(SECOND, second, evolve),
            _alone(SECOND, finalists, *arguments),
            _again(again, *arguments),
        ]
    )


def _alone(
    searched: str,
    count: int,
    candidates: Candidates,
    objectives: Sequence[Objective],
    constraints: Sequence[Constraint],
    seed: int,
    by_first: bool = False,
) -> Stage:
    """The stage in which the best of the one before are trained alone."""

    def begin(trials: Sequence[Trial]) -> Sampler:
        of_stage = [trial for trial in trials if trial.stage == searched]
        best = best_of(of_stage, objectives, constraints, len(of_stage))
        if by_first:
            front = pareto_front(of_stage, objectives, constraints)
            others = [trial for trial in best if trial not in front]
            best = [*best_of(front, objectives[:1], (), len(front)), *others]
        chosen = spread(candidates, best, count)
        return _listed(chosen, candidates, objectives, constraints, seed, ALONE)

    return Stage(ALONE, count, begin)


def _again(
    count: int,
    candidates: Candidates,
    objectives: Sequence[Objective],
    constraints: Sequence[Constraint],
    seed: int,
    by_first: bool = False,
) -> Stage:
    """The stage in which the best of those trained alone are trained once more: luck made them the best."""

    def begin(trials: Sequence[Trial]) -> Sampler:
        of_stage = [trial for trial in trials if trial.stage == ALONE]
        best = best_of(of_stage, objectives[:1] if by_first else objectives, constraints, count)
        return _listed(best, candidates, objectives, constraints, seed, AGAIN)

    return Stage(AGAIN, count, begin)


def _listed(
    trials: Sequence[Trial],
    candidates: Candidates,
    objectives: Sequence[Objective],
    constraints: Sequence[Constraint],
    seed: int,
    stage: str,
) -> Sampler:
    return Listed(
        [trial.row for trial in trials],
        candidates=candidates,
        objectives=objectives,
        constraints=constraints,
        seed=seed,
        stage=stage,
    )
