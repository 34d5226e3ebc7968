"""What every sampler must pass, for those of this package and for users' own.

In a user's tests:

    import pytest
    from recfactory.search.conformance import CHECKS, check_sampler

    @pytest.mark.parametrize("name", CHECKS)
    def test_my_sampler(name):
        check_sampler(MySampler, [name])

`MySampler(candidates, objectives, constraints, seed)` makes the sampler; `functools.partial` sets its other
arguments, so that all its phases fit in the few trials of a check. Nothing here needs pytest: without names
all checks are run, and one that is not passed raises an AssertionError that says why.
"""

import json
import math
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from recfactory.errors import UserError
from recfactory.search.candidates import Candidates
from recfactory.search.objectives import Constraint, Objective
from recfactory.search.rehearsal import FEW, PATHS, Make, Rehearsal, never, require
from recfactory.search.trial import Trial


@dataclass(frozen=True)
class Subject:
    """A sampler that is checked.

    Args:
        make: makes it.
        objectives: that it is given.
        trials: of each check.
        candidates: that it searches.
        few: candidates that are fewer than 100.
    """

    make: Make
    objectives: Sequence[Objective]
    trials: int
    candidates: Candidates = PATHS
    few: Candidates = FEW

    def search(self, **options: Any) -> Rehearsal:
        """A search with it.

        Args:
            **options: as of `Rehearsal`.
        """
        return Rehearsal(self.make, self.objectives, **{"candidates": self.candidates, **options})


def check_valid(subject: Subject) -> None:
    """Suggestions are candidates as tuples of integers; asking for none gives none."""
    search = subject.search()
    require(search.sampler.suggest(0) == [], "none was wanted, some were suggested")
    rows = [suggestion.row for suggestion in search.run(subject.trials)]
    require(len(rows) > 0, "it suggests nothing")
    for row in rows:
        integers = isinstance(row, tuple) and all(type(symbol) is int for symbol in row)
        require(integers, f"a row must be a tuple of int, not {row!r}")


def check_seed(subject: Subject) -> None:
    """The same seed gives the same suggestions, another seed others; 0 is a seed like any other."""
    runs = [subject.search(seed=seed, workers=3).run(subject.trials) for seed in (0, 0, 1, 1, 2)]
    require(runs[0] == runs[1], "seed 0 gives other suggestions the second time")
    require(runs[2] == runs[3], "seed 1 gives other suggestions the second time")
    require(runs[0] != runs[2] != runs[4] != runs[0], "different seeds give the same suggestions")


def check_resume(subject: Subject) -> None:
    """Dumped and loaded at any moment, also with trials pending, it goes on as if nothing had happened."""
    for workers in (1, 3):
        options: dict[str, Any] = {"workers": workers, "fails": lambda number: number % 5 == 3, "seed": 0}
        undisturbed = subject.search(**options).run(subject.trials)
        search = subject.search(**options)
        for moment in (0, 1, *range(2, subject.trials, max(1, subject.trials // 6)), subject.trials):
            search.run(moment)
            loaded = search.resumed()
            told = f"after {moment} suggestions to {workers} workers"
            require(loaded.sampler.done == search.sampler.done, f"`done` differs when loaded {told}")
            require(loaded.run(subject.trials) == undisturbed, f"it goes on otherwise when loaded {told}")
        require(search.suggested == undisturbed, "it goes on otherwise after its state was dumped")


def check_new(subject: Subject) -> None:
    """No network is suggested twice in a stage, whatever its row."""
    for workers in (1, 4):
        suggested = subject.search(workers=workers).run(subject.trials)
        genes = subject.candidates.genes(np.array([suggestion.row for suggestion in suggested])).tolist()
        networks = {(suggestion.stage, *each) for suggestion, each in zip(suggested, genes, strict=True)}
        require(len(networks) == len(suggested), "a network is suggested twice in a stage")


def check_failures(subject: Subject) -> None:
    """Failed trials do not stop it, even if all fail."""
    planned = len(subject.search(workers=2).run(subject.trials))
    patterns: dict[str, Callable[[int], bool]] = {
        "every third": lambda number: number % 3 == 0,
        "the first half": lambda number: number < subject.trials // 2,
        "every": lambda number: True,
    }
    for which, fails in patterns.items():
        suggested = subject.search(fails=fails, workers=2).run(subject.trials)
        require(len(suggested) >= planned // 2, f"it stops when {which} trial fails")


def check_constraints(subject: Subject) -> None:
    """Each suggestion keeps constraints that need no evaluation; it copes with others that are broken."""
    candidates = subject.candidates
    measured = candidates.measure(candidates.sample(500, np.random.default_rng(0)))
    macs, params = (float(np.quantile(measured[name], 0.3)) for name in ("macs", "params"))
    kept = (Constraint("macs", macs), Constraint("params", params, ">="))
    search = subject.search(constraints=(*kept, Constraint("price", -1e6)), workers=2)
    for suggestion in search.run(subject.trials):
        found = candidates.measure(np.array([suggestion.row]))
        for constraint in kept:
            (value,) = found[constraint.name]
            require(not constraint.excess(value), f"{constraint} is broken by {value}")


def check_scores(subject: Subject) -> None:
    """A score that is missing or no finite number is refused, and nothing is learned from its batch."""
    search = subject.search(workers=3)
    search.run(subject.trials // 2)
    *good, bad = [*search.pending, *search.finished[-1:]]
    name = subject.objectives[-1].name
    for value in (math.nan, math.inf, -math.inf, None):
        scores: Mapping[str, Any] = {**(bad.scores or {}), name: value}
        before = json.dumps(search.sampler.dump())
        try:
            search.sampler.update([*good, Trial(bad.row, bad.stage, scores)])
        except UserError:
            after = json.dumps(search.sampler.dump())
            require(before == after, f"something was learned although {name} was {value}")
        else:
            raise AssertionError(f"{name} may not be {value}: a UserError must say so")


def check_end(subject: Subject) -> None:
    """It suggests what a tiny space has, then is done and stays so."""
    for fails in (never, lambda number: number % 4 == 1):
        search = subject.search(candidates=subject.few, workers=2, fails=fails)
        search.run(100)
        require(0 < len(search.suggested) < 100, f"{len(search.suggested)} suggestions from a tiny space")
        search.finish(*search.pending)
        require(search.sampler.suggest(3) == [] and search.sampler.done, "it goes on after it was done")


def check_pending(subject: Subject) -> None:
    """Results may be pending for long, and come in any order and number."""
    search = subject.search()
    found = search.sampler.suggest(subject.trials // 2)
    require(len(found) > 0, "it suggests nothing at first")
    trials = [search.evaluate(suggestion, number) for number, suggestion in enumerate(found)]
    search.finish(*trials[::-2])
    between = search.sampler.suggest(2)
    require(len(set(found + between)) == len(found + between), "a candidate is suggested twice")
    search.finish()
    search.finish(*trials[-2::-2], *(search.evaluate(suggestion, 0) for suggestion in between))
    more = search.sampler.suggest(1)
    require(len(more) == 1 or search.sampler.done, "it suggests nothing, waits for no trial and is not done")


CHECKS: dict[str, Callable[[Subject], None]] = {
    "valid": check_valid,
    "seed": check_seed,
    "resume": check_resume,
    "new": check_new,
    "failures": check_failures,
    "constraints": check_constraints,
    "scores": check_scores,
    "end": check_end,
    "pending": check_pending,
}
"""By name."""


def check_sampler(
    make: Make,
    names: Iterable[str] = tuple(CHECKS),
    objectives: Sequence[Objective] = (Objective("loss"),),
    trials: int = 48,
    candidates: Candidates = PATHS,
    few: Candidates = FEW,
) -> None:
    """Checks a sampler.

    Args:
        make: of candidates, objectives, constraints and a seed; must give a new sampler each time.
        names: of the checks, see `CHECKS`.
        objectives: that the sampler is given.
        trials: of each check, enough to reach all phases of the sampler.
        candidates: that it searches.
        few: candidates that are fewer than 100.

    Raises:
        AssertionError: what is expected and not so.
    """
    for name in names:
        CHECKS[name](Subject(make, objectives, trials, candidates, few))
