"""How a model is shaped and trained: one value, readable and writable as JSON."""

from collections.abc import Mapping
from dataclasses import asdict, dataclass, fields
from typing import Any, Literal

from recfactory.errors import UsageError
from recfactory.schema.mapping import did_you_mean


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
    clip_norm: float = 0.0
    batch_size: int = 4096
    epochs: int = 40
    patience: int = 2
    seed: int = 1

    def __post_init__(self) -> None:
        for entry in fields(self):
            object.__setattr__(self, entry.name, _typed(entry.name, getattr(self, entry.name), entry.default))
        _check(self.embedding_dim >= 2, "embedding_dim", self.embedding_dim, "2 or more")
        _check(
            all(width >= 1 for width in self.hidden + self.bottom), "hidden", self.hidden, "1 or more each"
        )
        _check(self.crosses >= 1, "crosses", self.crosses, "1 or more")
        _check(0 <= self.dropout < 1, "dropout", self.dropout, "from 0 to below 1")
        _check(self.embedding_l2 >= 0, "embedding_l2", self.embedding_l2, "0 or more")
        _check(self.optimizer in ("adam", "adagrad"), "optimizer", self.optimizer, "adam or adagrad")
        _check(self.learning_rate > 0, "learning_rate", self.learning_rate, "above 0")
        _check(0 < self.decay <= 1, "decay", self.decay, "above 0 and at most 1")
        _check(self.clip_norm >= 0, "clip_norm", self.clip_norm, "0 or more")
        _check(self.batch_size >= 1, "batch_size", self.batch_size, "1 or more")
        _check(self.epochs >= 1, "epochs", self.epochs, "1 or more")
        _check(self.patience >= 1, "patience", self.patience, "1 or more")
        _check(0 <= self.seed < 2**31, "seed", self.seed, "from 0 to 2147483647")

    def to_dict(self) -> dict[str, Any]:
        """The recipe as JSON values."""
        return {name: list(v) if isinstance(v, tuple) else v for name, v in asdict(self).items()}

    @classmethod
    def from_dict(cls, values: Mapping[str, Any]) -> "Recipe":
        """The recipe with these entries, defaults for the others.

        Raises:
            UsageError: for an unknown entry or a value out of its range.
        """
        names = [field.name for field in fields(cls)]
        for name in values:
            if name not in names:
                hint = did_you_mean(name, names)
                raise UsageError(f"recipe: there is no entry '{name}'; there are {', '.join(names)}{hint}")
        return cls(**values)


def _typed(name: str, value: Any, default: Any) -> Any:
    """The value in the type of the entry's default."""
    if isinstance(default, tuple):
        _check(isinstance(value, list | tuple), name, value, "a list of widths such as [400, 400]")
        return tuple(_typed(f"{name}'s entries", width, 0) for width in value)
    number = isinstance(value, int | float) and not isinstance(value, bool)
    if isinstance(default, bool):
        _check(isinstance(value, bool), name, value, "true or false")
    elif isinstance(default, int):
        _check(number and value == int(value), name, value, "a whole number")
        return int(value)
    elif isinstance(default, float):
        _check(number, name, value, "a number")
        return float(value)
    return value


def _check(ok: bool, name: str, value: Any, allowed: str) -> None:
    if not ok:
        raise UsageError(f"recipe: {name} must be {allowed}, not {value}")
