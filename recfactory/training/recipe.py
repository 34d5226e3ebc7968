"""How a model is shaped and trained: one value, readable and writable as JSON."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Literal

from recfactory.settings import read_settings, require, write_settings

EMBEDDING_L2 = 0.3
"""Of paths: they learn the rows of small tables by heart sooner than hand-made models do."""
FRESH = 100
"""Added to the seed of a search's winner for its last training: those that chose it do not judge it."""


@dataclass(frozen=True)
class Recipe:
    """Hyperparameters; the same defaults for every data set.

    Of the sizes, a path has its own; all other entries mean for it what they mean for a hand-made model.

    Args:
        embedding_dim: numbers in an embedding.
        hidden: widths of the hidden layers.
        bottom: widths of DLRM's layers on the dense columns, before the one as wide as an embedding.
        crosses: cross layers of DCN-V2.
        dropout: share of hidden activations dropped in training; of a path, of what dense operators make.
        batch_norm: whether hidden layers are batch-normalised; a path's operators are layer-normalised
            otherwise, as in the supernet.
        embedding_l2: weight decay of embeddings, see `Ranker`.
        optimizer: adam or adagrad, of the table (its sparse form) and of everything else.
        learning_rate: step size of both.
        decay: factor on the learning rate after an epoch that did not improve.
        averaging: what a step leaves of the running mean of weights, which is judged and kept; 0: no mean.
        clip_norm: largest norm of a step's gradients; 0 is no limit.
        batch_size: rows a step.
        epochs: at most.
        patience: epochs without improvement of the validation LogLoss before training stops.
        seed: of initial values, order of rows and dropout.
    """

    embedding_dim: int = 16
    hidden: tuple[int, ...] = (400, 400, 400)
    bottom: tuple[int, ...] = (64,)
    crosses: int = 3
    dropout: float = 0.2
    batch_norm: bool = True
    embedding_l2: float = 0.05
    optimizer: Literal["adam", "adagrad"] = "adam"
    learning_rate: float = 0.001
    decay: float = 0.3
    averaging: float = 0.98
    clip_norm: float = 0.0
    batch_size: int = 4096
    epochs: int = 40
    patience: int = 3
    seed: int = 1

    def __post_init__(self) -> None:
        def check(holds: bool, name: str, allowed: str) -> None:
            require(holds, f"recipe: {name}", getattr(self, name), allowed)

        check(self.embedding_dim >= 2, "embedding_dim", "2 or more")
        check(all(width >= 1 for width in self.hidden), "hidden", "1 or more each")
        check(all(width >= 1 for width in self.bottom), "bottom", "1 or more each")
        check(self.crosses >= 1, "crosses", "1 or more")
        check(0 <= self.dropout < 1, "dropout", "from 0 to below 1")
        check(self.embedding_l2 >= 0, "embedding_l2", "0 or more")
        check(self.optimizer in ("adam", "adagrad"), "optimizer", "adam or adagrad")
        check(self.learning_rate > 0, "learning_rate", "above 0")
        check(0 < self.decay <= 1, "decay", "above 0 and at most 1")
        check(0 <= self.averaging < 1, "averaging", "from 0 to below 1")
        check(self.clip_norm >= 0, "clip_norm", "0 or more")
        check(self.batch_size >= 1, "batch_size", "1 or more")
        check(self.epochs >= 1, "epochs", "1 or more")
        check(self.patience >= 1, "patience", "1 or more")
        check(0 <= self.seed < 2**31, "seed", "from 0 to 2147483647")

    def to_dict(self) -> dict[str, Any]:
        """The recipe as JSON values."""
        return dict(write_settings(self))

    @classmethod
    def from_dict(cls, values: Mapping[str, Any]) -> "Recipe":
        """The recipe with these entries, defaults for the others.

        Raises:
            UsageError: for an unknown entry or a value out of its range.
        """
        return read_settings(cls, values, "recipe")
