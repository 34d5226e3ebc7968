"""The oracles that score all trials in one supernet."""

from abc import abstractmethod
from collections.abc import Sequence
from typing import Any

import numpy as np

from recfactory.differences import differences
from recfactory.errors import UsageError
from recfactory.search.candidates import Paths
from recfactory.search.evolution import RegularisedEvolution
from recfactory.search.feasible import DRAWN
from recfactory.search.metropolis import MetropolisEvolution
from recfactory.search.pareto import ParetoEvolution
from recfactory.search.random_search import RandomSearch
from recfactory.search.sampler import Sampler
from recfactory.search.shots import one_shot
from recfactory.space.genes import encode
from recfactory.space.path import Path
from recfactory.tuner.oracle import SamplerOracle


class OneShotOracle(SamplerOracle):
    """Trials are scored in one supernet; then the finalists are trained alone.

    Args:
        *arguments: as of `SamplerOracle`.
        by_first: whether the finalists of several objectives are the front's best by the first one; they are
            from all over the front otherwise.
        **options: as of `SamplerOracle`.
    """

    def __init__(self, *arguments: Any, by_first: bool = False, **options: Any) -> None:
        super().__init__(*arguments, **options)
        self.by_first = by_first
        self._own: dict[str, Any] = {}
        """Numbers of the sampler."""

    def numbers(self) -> dict[str, Any]:
        """Those of the sampler, and which finalists it has."""
        return {**self._own, "by_first": self.by_first}

    @abstractmethod
    def make_first(self, *arguments: Any) -> Sampler:
        """What searches the supernet.

        Args:
            *arguments: candidates, objectives, constraints and seed.
        """

    def make_sampler(self) -> Sampler:
        """The sampler at its beginning."""
        return one_shot(
            self.make_first,
            self.candidates,
            self.objectives,
            self.constraints,
            self.seed,
            trials=int(self.max_trials),
            finalists=self.finalists,
            again=self.again,
            by_first=self.by_first,
            start=self.start_rows(),
        )

    def start_rows(self) -> list[list[int]]:
        """Candidates that the search begins from, if there are any."""
        return []


class StartedOracle(OneShotOracle):
    """A search that may start from known paths.

    Args:
        *arguments: as of `SamplerOracle`.
        start: paths of the space; up to half of the finalists are the best candidates with these. With
            hardware they get machines at random, and from the most bits to random ones.
        **options: as of `OneShotOracle`.
    """

    def __init__(self, *arguments: Any, start: Sequence[Path] = (), **options: Any) -> None:
        super().__init__(*arguments, **options)
        self.start = tuple(start)
        for path in self.start:
            if differ := "; ".join(differences(path.space.to_dict(), self.space.to_dict())):
                raise UsageError(
                    f"start: the path is of another space than the one searched ({differ}): search with its "
                    "sizes, such as --set sizes.blocks=4"
                )

    def numbers(self) -> dict[str, Any]:
        """Those of the sampler, which finalists it has, and where it starts."""
        return {**super().numbers(), "start": encode(self.start).tolist() if self.start else []}

    def start_rows(self) -> list[list[int]]:
        """Candidates with the paths of `start`; with hardware many of each."""
        searched = self.candidates
        if not self.start:
            return []
        paths = encode(self.start)
        if isinstance(searched, Paths):
            return paths.tolist()
        return searched.around(paths, DRAWN, np.random.default_rng(self.seed)).tolist()


class RandomOracle(StartedOracle):
    """Random paths, see `RandomSearch`; where there is a `start`, half of them are of it.

    Args:
        *arguments: as of `SamplerOracle`.
        **options: as of `StartedOracle`.
    """

    def make_first(self, *arguments: Any) -> Sampler:
        """Random search."""
        return RandomSearch(*arguments, start=self.start_rows())


class EvolutionOracle(OneShotOracle):
    """NASRec's evolution, for one objective, see `RegularisedEvolution`.

    Args:
        *arguments: as of `SamplerOracle`.
        population: alive at once; None for a sixteenth of the trials, at least 16.
        sampled: drawn from the population, the best of them is the parent; None for half of it.
        children: of a generation.
        **options: as of `SamplerOracle`.
    """

    def __init__(
        self,
        *arguments: Any,
        population: int | None = None,
        sampled: int | None = None,
        children: int = 8,
        **options: Any,
    ) -> None:
        super().__init__(*arguments, **options)
        self._own = {"population": population, "sampled": sampled, "children": children}

    def make_first(self, *arguments: Any) -> Sampler:
        """Regularised evolution."""
        return RegularisedEvolution(*arguments, trials=int(self.max_trials), **self._own)


class MetropolisOracle(OneShotOracle):
    """CSCO's Metropolis-Hastings evolution, for one objective, see `MetropolisEvolution`.

    Args:
        *arguments: as of `SamplerOracle`.
        round_size: trials of a round.
        burn_in: random trials of the first round; None for an eighth of the trials.
        temperature: half of that at the start, in units of the objective.
        **options: as of `SamplerOracle`.
    """

    def __init__(
        self,
        *arguments: Any,
        round_size: int = 8,
        burn_in: int | None = None,
        temperature: float = 0.01,
        **options: Any,
    ) -> None:
        super().__init__(*arguments, **options)
        self._own = {"round_size": round_size, "burn_in": burn_in, "temperature": temperature}

    def make_first(self, *arguments: Any) -> Sampler:
        """Metropolis-Hastings evolution."""
        return MetropolisEvolution(*arguments, trials=int(self.max_trials), **self._own)


class ParetoOracle(StartedOracle):
    """Evolution of a Pareto front, for several objectives, see `ParetoEvolution`.

    Half of the first population is of the `start`.

    Args:
        *arguments: as of `SamplerOracle`.
        population: alive at once; None for a sixteenth of the trials, at least 16.
        crossovers: the share of children of two parents.
        **options: as of `StartedOracle`.
    """

    def __init__(
        self,
        *arguments: Any,
        population: int | None = None,
        crossovers: float = 0.9,
        **options: Any,
    ) -> None:
        super().__init__(*arguments, **options)
        self._own = {"population": population, "crossovers": crossovers}

    def make_first(self, *arguments: Any) -> Sampler:
        """Evolution of a front."""
        return ParetoEvolution(*arguments, trials=int(self.max_trials), start=self.start_rows(), **self._own)
