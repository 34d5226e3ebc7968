"""How a trained path is pruned: one value, readable and writable as JSON."""

from dataclasses import dataclass
from typing import Any, Literal

from recfactory.settings import require, write_settings


@dataclass(frozen=True)
class PruneRecipe:
    """Numbers of a pruning.

    Args:
        ratio: share of the multiply-accumulates to remove.
        method: how weights are judged: by masks that are learned, or by their magnitude.
        rounds: in which they are removed, each the same share of what is left.
        epochs: of training before each removal.
        unstructured: whether single weights become 0, which leaves `macs` as they are; otherwise structure is
            removed.
    """

    ratio: float = 0.5
    method: Literal["learned", "magnitude"] = "learned"
    rounds: int = 5
    epochs: int = 4
    unstructured: bool = False

    def __post_init__(self) -> None:
        methods = ("learned", "magnitude")
        require(0 < self.ratio < 1, "prune: ratio", self.ratio, "between 0 and 1")
        require(self.method in methods, "prune: method", self.method, " or ".join(methods))
        require(self.rounds >= 1, "prune: rounds", self.rounds, "1 or more")
        require(self.epochs >= 1, "prune: epochs", self.epochs, "1 or more")

    def to_dict(self) -> dict[str, Any]:
        """The recipe as JSON values."""
        return dict(write_settings(self))
