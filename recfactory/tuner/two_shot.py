"""The oracle of two-shot search."""

from collections.abc import Sequence
from dataclasses import asdict
from typing import Any

from recfactory.errors import UsageError
from recfactory.predictor.on_space import fit_on_space
from recfactory.predictor.options import PredictorOptions
from recfactory.search.candidates import AnyRows, Paths
from recfactory.search.choice import LEAST, Choice, choose
from recfactory.search.farthest import Farthest
from recfactory.search.mining import Mining, Predictor
from recfactory.search.objectives import Floats, only_objective
from recfactory.search.sampler import Sampler
from recfactory.search.shots import two_shot
from recfactory.search.trial import Trial
from recfactory.settings import read_arguments
from recfactory.tuner.chosen import choose_once
from recfactory.tuner.one_shot import EvolutionOracle
from recfactory.tuner.oracle import SamplerOracle


class FGPSOracle(SamplerOracle):
    """Two shots with Farthest Greedy Path Sampling between them (arXiv 2310.20705), for one objective.

    Random paths are scored in the first supernet. From them a predictor learns, by which good paths are mined
    and different ones of these chosen. The second supernet is trained on the chosen ones alone and searched
    by evolution; its best are trained alone. See `two_shot` and `choose`.

    Args:
        *arguments: as of `SamplerOracle`.
        first: trials in the first supernet, out of `max_trials`; None for half of them.
        mining: numbers of the mining.
        farthest: numbers of the choice.
        predictor: how the predictor is made.
        evolution: numbers of the evolution, as of `EvolutionOracle`.
        **options: as of `SamplerOracle`.

    Raises:
        UsageError: when there are too few trials for either shot, several objectives, or designs to search.
    """

    def __init__(
        self,
        *arguments: Any,
        first: int | None = None,
        mining: Mining | None = None,
        farthest: Farthest | None = None,
        predictor: PredictorOptions | None = None,
        evolution: dict[str, Any] | None = None,
        **options: Any,
    ) -> None:
        super().__init__(*arguments, **options)
        if not isinstance(self.candidates, Paths):
            raise UsageError(
                "two-shot search knows paths alone; search bits and hardware with pareto or another oracle"
            )
        self.first = int(self.max_trials) // 2 if first is None else first
        if not LEAST <= self.first < self.max_trials:
            raise UsageError(
                f"{self.first} of {self.max_trials} trials cannot be in the first shot: at least {LEAST} are "
                "needed there, and one in the second"
            )
        self._objective = only_objective(self.objectives, "two-shot search")
        self.predictor = predictor or PredictorOptions()
        self.mining, self.farthest = mining or Mining(), farthest or Farthest()
        self.evolution = read_arguments(EvolutionOracle.__init__, evolution or {}, "evolution")

    def numbers(self) -> dict[str, Any]:
        """Those of both shots."""
        return {
            "first": self.first,
            "predictor": asdict(self.predictor),
            "mining": asdict(self.mining),
            "farthest": asdict(self.farthest),
            "evolution": self.evolution,
        }

    def make_sampler(self) -> Sampler:
        """The sampler at its beginning; it mines where the project's folder has no choice of these trials."""
        return two_shot(
            self.candidates,
            self.objectives,
            self.constraints,
            self.seed,
            choose=self._chosen,
            first=self.first,
            second=int(self.max_trials) - self.first,
            finalists=self.finalists,
            again=self.again,
            **self.evolution,
        )

    def fit(self, symbols: tuple[int, ...], genes: AnyRows, losses: Floats) -> Predictor:
        """Makes the predictor; a subclass may have one of its own.

        Args:
            symbols: how many symbols each column of genes can hold.
            genes: effective genes of the trials, `(n, length)`.
            losses: of the trials, `(n,)`.
        """
        return fit_on_space(self.space, genes, losses, self.predictor, self.seed)

    def _chosen(self, trials: Sequence[Trial]) -> AnyRows:
        return choose_once(self.project_dir, trials, self._choose)

    def _choose(self, trials: Sequence[Trial]) -> Choice:
        return choose(
            self.candidates,
            trials,
            self._objective,
            self.constraints,
            self.fit,
            self.mining,
            self.farthest,
            self.seed,
        )
