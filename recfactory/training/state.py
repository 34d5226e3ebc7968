"""How far a training is."""

from dataclasses import asdict, dataclass, field
from typing import Any

from recfactory.training.recipe import Recipe


@dataclass
class State:
    """What a resumed training must know beside the variables.

    Args:
        epoch: epochs finished.
        step: batches of the running epoch that are done.
        seconds: spent on them.
        best_epoch: the one of the lowest validation LogLoss, counted from 1; 0 before the first.
        waited: epochs since then.
        log: a row per finished epoch, the same in every run.
        timings: a row per finished epoch, different in every run.
    """

    epoch: int = 0
    step: int = 0
    seconds: float = 0.0
    best_epoch: int = 0
    waited: int = 0
    log: list[dict[str, Any]] = field(default_factory=list)
    timings: list[dict[str, Any]] = field(default_factory=list)

    @property
    def best(self) -> dict[str, Any]:
        """The best epoch's row of the log."""
        return self.log[self.best_epoch - 1]

    def done(self, recipe: Recipe) -> bool:
        """Whether training is over."""
        return self.epoch >= recipe.epochs or self.waited >= recipe.patience

    def finish_epoch(self, measured: dict[str, float], examples: int) -> bool:
        """Counts the running epoch as finished.

        Args:
            measured: its `train_logloss`, `valid_logloss`, `valid_auc` and `learning_rate`.
            examples: rows trained on.

        Returns:
            Whether it is the best so far.
        """
        better = self.best_epoch == 0 or measured["valid_logloss"] < self.best["valid_logloss"]
        self.epoch += 1
        self.log.append({"epoch": self.epoch, **measured})
        rate = examples / self.seconds if self.seconds else 0.0
        self.timings.append({"epoch": self.epoch, "seconds": self.seconds, "examples_per_second": rate})
        self.best_epoch, self.waited = (self.epoch, 0) if better else (self.best_epoch, self.waited + 1)
        self.step, self.seconds = 0, 0.0
        return better

    def to_dict(self) -> dict[str, Any]:
        """The state as JSON values."""
        return asdict(self)
