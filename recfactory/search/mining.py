"""Mining: paths that a predictor holds for good, found by evolution that asks nothing but the predictor."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, NamedTuple, Protocol

import numpy as np
import numpy.typing as npt

from recfactory.errors import UserError
from recfactory.progress import Progress
from recfactory.search.candidates import AnyRows, Candidates
from recfactory.search.feasible import Floats, cheap_excess, sample_feasible
from recfactory.search.objectives import Constraint
from recfactory.settings import require
from recfactory.space.genes import Rows

Losses = npt.NDArray[np.floating[Any]]


class Predictor(Protocol):
    """Tells from genes how a candidate would do."""

    def predict(self, genes: AnyRows) -> Losses:
        """The loss expected of each candidate, small for good ones.

        Args:
            genes: effective genes, `(n, length)`, for any n.

        Returns:
            `(n,)`.
        """


@dataclass(frozen=True)
class Mining:
    """The numbers of the evolution on a predictor; those of arXiv 2310.20705, but for the chains.

    The paper has one chain. Several are faster, and what they find is more diverse and about as good.

    Args:
        initial: random candidates it starts from.
        sampled: drawn from the population in each step, with replacement; the best of them is the parent.
        mutants: of the parent in each step.
        kept: best mutants in each step; as many of the oldest leave the population.
        steps: of all chains together.
        dropped: share of all found that is dropped in the end, the worst.
        chains: populations that evolve apart, side by side, and share `initial` and `steps` evenly.
    """

    initial: int = 20_000
    sampled: int = 51
    mutants: int = 64
    kept: int = 10
    steps: int = 20_000
    dropped: float = 0.075
    chains: int = 8

    def __post_init__(self) -> None:
        for name in ("initial", "sampled", "mutants", "kept", "steps", "chains"):
            least = int(name != "steps")
            value = getattr(self, name)
            require(value >= least, f"mining: {name}", value, f"{least} or more")
        require(self.kept <= self.mutants, "mining: kept", self.kept, f"at most the {self.mutants} mutants")
        require(0 <= self.dropped < 1, "mining: dropped", self.dropped, "a share, from 0 to below 1")


class Mined(NamedTuple):
    """Candidates with what is predicted of them.

    Args:
        rows: `(n, length)`.
        genes: their effective genes, `(n, length)`.
        losses: predicted, `(n,)`; infinite where a candidate was refused.
    """

    rows: Rows
    genes: Rows
    losses: Floats

    def take(self, at: AnyRows) -> "Mined":
        """Those at some places."""
        return Mined(self.rows[at], self.genes[at], self.losses[at])


def mine(
    candidates: Candidates,
    constraints: Sequence[Constraint],
    predictor: Predictor,
    mining: Mining,
    rng: np.random.Generator,
) -> Mined:
    """Regularised evolution on a predictor: all that ever was in its population, without the worst.

    Mutants that break a constraint, or whose network was found before, are refused. Many mutations change
    nothing that the output depends on; their mutants, as good as the best parent, would crowd out all others.
    Where a step finds fewer than it keeps, as many of the oldest stay.

    Args:
        candidates: to mine.
        constraints: those on scores that need an evaluation are left alone.
        predictor: of the loss.
        mining: the numbers.
        rng: source of randomness.

    Returns:
        Candidates of different genes, in the order in which they were found.

    Raises:
        UserError: when no candidate keeps the constraints, or the predictor gives no finite loss.
    """
    judge = _Judge(candidates, constraints, predictor)
    start = judge(sample_feasible(candidates, constraints, mining.initial, rng))
    start = start.take(np.flatnonzero(np.isfinite(start.losses)))
    if not len(start.rows):
        raise UserError("mining: the predictor gives no finite loss; it needs more trials, or other ones")
    judge.remember(start)
    found = [start]
    alive = _Population(start, mining.chains)
    with Progress("mining", mining.steps, "steps") as progress:
        for _ in range(-(-mining.steps // alive.chains)):
            mutants = np.repeat(alive.parents(mining.sampled, rng), mining.mutants, axis=0)
            children = alive.renew(judge(candidates.mutate(mutants, rng)), mining.kept)
            judge.remember(children)
            found.append(children)
            progress.advance(alive.chains)
    everything = Mined(*map(np.concatenate, zip(*found, strict=True)))
    left = max(1, round(len(everything.rows) * (1 - mining.dropped)))
    return everything.take(np.sort(everything.losses.argsort(kind="stable")[:left]))


class _Judge:
    """Predicts losses, and refuses what breaks a constraint or was remembered."""

    def __init__(
        self, candidates: Candidates, constraints: Sequence[Constraint], predictor: Predictor
    ) -> None:
        self.candidates, self.constraints, self.predictor = candidates, constraints, predictor
        self._remembered: set[bytes] = set()

    def __call__(self, rows: Rows) -> Mined:
        genes = self.candidates.genes(rows)
        first: dict[bytes, int] = {}
        for place, key in enumerate(map(bytes, genes)):
            if key not in self._remembered:
                first.setdefault(key, place)
        new = np.fromiter(first.values(), np.int64)
        new = new[cheap_excess(self.candidates, self.constraints, rows[new]) == 0]
        losses = np.full(len(rows), np.inf)
        if len(new):
            losses[new] = self.predictor.predict(genes[new])
        return Mined(rows, genes, losses)

    def remember(self, mined: Mined) -> None:
        """Refuses these from now on."""
        self._remembered.update(map(bytes, mined.genes))


class _Population:
    """One population for each chain, all of one size."""

    def __init__(self, start: Mined, chains: int) -> None:
        self.chains = min(chains, len(start.rows))
        self.size = len(start.rows) // self.chains
        members = start.take(np.arange(self.chains * self.size))
        self.rows = members.rows.reshape(self.chains, self.size, -1)
        self.losses = members.losses.reshape(self.chains, self.size)
        self._oldest = 0

    def parents(self, sampled: int, rng: np.random.Generator) -> Rows:
        """The best of each chain's draws, `(chains, length)`."""
        chains = np.arange(self.chains)
        drawn = rng.integers(self.size, size=(self.chains, sampled))
        best = np.take_along_axis(self.losses, drawn, axis=1).argmin(axis=1)
        return np.asarray(self.rows[chains, drawn[chains, best]])

    def renew(self, mutants: Mined, kept: int) -> Mined:
        """Puts the best mutants of each chain, those not refused, in the place of its oldest members.

        Returns:
            Those kept.
        """
        losses = mutants.losses.reshape(self.chains, -1)
        best = losses.argsort(axis=1, kind="stable")[:, : min(kept, self.size)]
        chain, place = np.nonzero(np.isfinite(np.take_along_axis(losses, best, axis=1)))
        children = mutants.take(chain * losses.shape[1] + best[chain, place])
        oldest = (self._oldest + place) % self.size
        self.rows[chain, oldest], self.losses[chain, oldest] = children.rows, children.losses
        self._oldest += best.shape[1]
        return children
