"""How the predictor is made: one value, readable and writable as JSON."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Literal

from recfactory.settings import read_settings, require, write_settings


@dataclass(frozen=True)
class PredictorOptions:
    """What the predictor is and how it is trained.

    Args:
        encoding: `plain` embeds all genes alike (FGPS, arXiv 2310.20705); `pids` encodes each kind of choice
            apart and fuses them by dot products (arXiv 2211.15759).
        embedding: numbers in the embedding of a symbol; the papers have 15 for plain and 8 for pids.
        widths: hidden layers of the networks that are compared, the best of which is taken.
        decays: weight decays that are compared, with each of `widths`.
        epochs: steps of a training, each over all trials.
        learning_rate: at the start; it falls to 0 as half a cosine.
        hinge: weight of the ranking loss beside the squared error.
        margin: by which the ranking loss wants a pair apart, in robust deviations of the losses.
        folds: parts of the trials; each is predicted by networks that are trained on the others.
        clip: losses further than this from the median count as this far, in robust deviations.
        pretrain: whether the networks first learn the multiply-accumulates of random paths.
        pretrain_rows: how many paths.
        pretrain_epochs: how many times they learn them.
        isomorphism: whether they learn each trial also under other numberings of its blocks (CSCO).
        copies: numberings of each trial.
    """

    encoding: Literal["plain", "pids"] = "plain"
    embedding: int = 15
    widths: tuple[tuple[int, ...], ...] = ((64,), (64, 64))
    decays: tuple[float, ...] = (1.0, 3.0)
    epochs: int = 150
    learning_rate: float = 0.01
    hinge: float = 0.125
    margin: float = 0.1
    folds: int = 5
    clip: float = 3.0
    pretrain: bool = False
    pretrain_rows: int = 2000
    pretrain_epochs: int = 10
    isomorphism: bool = False
    copies: int = 8

    def __post_init__(self) -> None:
        def check(holds: bool, name: str, allowed: str) -> None:
            require(holds, f"predictor: {name}", getattr(self, name), allowed)

        check(self.encoding in ("plain", "pids"), "encoding", "plain or pids")
        layers = all(widths and min(widths) >= 1 for widths in self.widths)
        check(
            bool(self.widths) and layers, "widths", "lists of widths of 1 or more, such as [[64], [64, 64]]"
        )
        check(bool(self.decays) and min(self.decays) >= 0, "decays", "a list of numbers of 0 or more")
        for name in ("embedding", "epochs", "pretrain_rows", "pretrain_epochs", "copies"):
            check(getattr(self, name) >= 1, name, "1 or more")
        check(self.folds >= 2, "folds", "2 or more")
        for name in ("learning_rate", "clip"):
            check(getattr(self, name) > 0, name, "above 0")
        for name in ("hinge", "margin"):
            check(getattr(self, name) >= 0, name, "0 or more")

    def to_dict(self) -> dict[str, Any]:
        """The options as JSON values."""
        return dict(write_settings(self))

    @classmethod
    def from_dict(cls, values: Mapping[str, Any]) -> "PredictorOptions":
        """The options with these entries, defaults for the others.

        Raises:
            UsageError: for an unknown entry or a value out of its range.
        """
        return read_settings(cls, values, "predictor")
