"""Searches in one shot or two: what is scored in which supernet, and which candidates are trained alone."""

from collections.abc import Callable, Sequence
from typing import Any

from recfactory.search.candidates import AnyRows, Candidates
from recfactory.search.evolution import RegularisedEvolution
from recfactory.search.front import finalists as best_of
from recfactory.search.front import pareto_front
from recfactory.search.listed import Listed
from recfactory.search.objectives import Constraint, Objective, only_objective, total_excess
from recfactory.search.random_search import RandomSearch
from recfactory.search.sampler import Sampler
from recfactory.search.spread import best_of_start, spread
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
    start: Sequence[Sequence[int]] = (),
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
        start: rows that the search begins from; up to half of the finalists are of their architectures.
    """
    arguments = candidates, objectives, constraints, seed
    return Stages(
        [
            Stage(FIRST, trials, lambda _: make(*arguments)),
            *_ending(FIRST, finalists, again, *arguments, by_first=by_first, start=start),
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

    The evolution's initial population is drawn from those that the second supernet is trained on. Where none
    are chosen, since too few trials of the first shot worked, it is random.

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
    # Numbers that cannot be are refused before anything is paid for.
    RegularisedEvolution(*arguments, **evolution)

    def evolve(trials: Sequence[Trial]) -> Sampler:
        start = choose(trials).tolist()
        return RegularisedEvolution(*arguments, stage=SECOND, start=start, trials=second, **evolution)

    return Stages(
        [
            Stage(FIRST, first, lambda _: RandomSearch(*arguments)),
            Stage(SECOND, second, evolve),
            *_ending(SECOND, finalists, again, *arguments),
        ]
    )


def _ending(
    searched: str,
    finalists: int,
    again: int,
    candidates: Candidates,
    objectives: Sequence[Objective],
    constraints: Sequence[Constraint],
    seed: int,
    by_first: bool = False,
    start: Sequence[Sequence[int]] = (),
) -> list[Stage]:
    """The best of a stage are trained alone, and the best of these once more, for luck has its part.

    Args:
        searched: the stage.
        finalists: trained alone.
        again: trained once more.
        candidates: that were searched.
        objectives: of the trials.
        constraints: on scores.
        seed: of the samplers.
        by_first: as of `one_shot`.
        start: as of `one_shot`.
    """
    lead = objectives[:1] if by_first else objectives

    def differing(trials: Sequence[Trial]) -> Sequence[Trial]:
        ranked = best_of(trials, objectives, constraints, len(trials))
        kept = [trial for trial in ranked if not total_excess(constraints, trial.scores or {})]
        good = best_of(pareto_front(kept, objectives) if len(objectives) > 1 else kept, lead, (), len(kept))
        # On a front without a lead all are equally good.
        some = good if len(lead) > 1 else good[: max(finalists, len(good) // 2)]
        begun = best_of_start(candidates, best_of(kept, lead, (), len(kept)), start)[: finalists // 2]
        chosen = spread(candidates, [*begun, *(trial for trial in some if trial not in begun)], finalists)
        rows = {trial.row for trial in chosen}
        others = [trial for trial in ranked if trial.row not in rows]
        return [*chosen, *others[: finalists - len(chosen)]]

    def best(trials: Sequence[Trial]) -> Sequence[Trial]:
        return best_of(trials, lead, constraints, again)

    def stage(name: str, count: int, before: str, choose: Callable[..., Sequence[Trial]]) -> Stage:
        def begin(trials: Sequence[Trial]) -> Sampler:
            chosen = choose([trial for trial in trials if trial.stage == before])
            return Listed(
                [trial.row for trial in chosen],
                candidates=candidates,
                objectives=objectives,
                constraints=constraints,
                seed=seed,
                stage=name,
            )

        return Stage(name, count, begin)

    return [stage(ALONE, finalists, searched, differing), stage(AGAIN, again, ALONE, best)]
