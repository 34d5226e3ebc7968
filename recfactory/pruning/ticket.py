"""What is left of a path between two rounds, and the model of that before it is trained."""

import zipfile
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path as File
from typing import Any

import numpy as np
import numpy.typing as npt

from recfactory.errors import UserError
from recfactory.files import read_json, whole_file, write_json
from recfactory.models.ranker import Ranker
from recfactory.pruning import cut as cuts
from recfactory.pruning.anatomy import macs, nonzero_macs, operations, remaining
from recfactory.pruning.build import shrink
from recfactory.pruning.choose import remove, smallest
from recfactory.pruning.cut import Cut
from recfactory.pruning.groups import groups
from recfactory.pruning.masks import matrices
from recfactory.space.operations import Linear
from recfactory.space.path import Path
from recfactory.space.wiring import Part
from recfactory.training.recipe import Recipe

TICKET, ZEROS = "ticket.json", "zeros.npz"
"""Of a round: the channels that are left and the scores; the single weights that are 0."""
SCORES = ("round", "logloss", "macs", "nonzero_macs")
"""Which number a round has, what its training reached, and what it left."""
Flags = npt.NDArray[np.bool_]


@dataclass(frozen=True)
class Ticket:
    """A path of which something is left.

    Args:
        path: the architecture, whole.
        cut: what is left of it.
        zeros: single weights that are 0, flags per name of layer and operation; those of no other matrix are.
    """

    path: Path
    cut: Cut
    zeros: Mapping[tuple[str, str], Flags]

    @property
    def macs(self) -> int:
        """Multiply-accumulates per example."""
        return macs(self.path, self.cut)

    @property
    def nonzero_macs(self) -> int:
        """Those of weights that are not 0, see `anatomy.nonzero_macs`."""
        names = {part.name: part for part in remaining(self.path, self.cut)}
        nonzero = {(names[layer], name): int((~gone).sum()) for (layer, name), gone in self.zeros.items()}
        return nonzero_macs(self.path, self.cut, nonzero)

    def model(self, initial: Ranker, recipe: Recipe) -> Ranker:
        """Its model with the values that its weights had before any training.

        Args:
            initial: the model of the whole path before any training.
            recipe: of its training.
        """
        whole = cuts.whole(self.path)
        small = shrink(self.path, whole, self.cut, initial, recipe.batch_norm, recipe.dropout)
        for key, variable in matrices(small.tower).items():
            if key in self.zeros:
                variable.assign(np.where(self.zeros[key], 0.0, variable.numpy()))
        return small

    def without_structure(self, worths: Mapping[tuple[str, str], Any], target: float) -> "Ticket":
        """At most `target` multiply-accumulates of it: the structure that is worth most.

        Args:
            worths: of the weights, by the names of layer and operation; matrices as they are stored.
            target: multiply-accumulates per example.
        """
        values = {}
        for part, linear in self._linears():
            if (key := (part.name, linear.name)) in worths:
                stored = np.asarray(worths[key], np.float64)
                values[part, linear.name] = stored.T if linear.by_output else stored
        left = remove(self.path, self.cut, groups(self.path, self.cut, values), target)
        return Ticket(self.path, left, {})

    def without_weights(self, worths: Mapping[tuple[str, str], Any], target: float) -> "Ticket":
        """The same with single weights at 0, those that are worth least; arguments as above."""
        uses = {(part.name, linear.name): linear.uses for part, linear in self._linears()}
        left = [np.where(self.zeros.get(key, False), np.inf, worth) for key, worth in worths.items()]
        gone = smallest(left, [uses[key] for key in worths], self.nonzero_macs - target)
        zeros = {key: np.isinf(was) | now for key, was, now in zip(worths, left, gone, strict=True)}
        return Ticket(self.path, self.cut, zeros)

    def save(self, folder: File, scores: Mapping[str, Any]) -> None:
        """Writes the ticket and its `SCORES`; the file that tells that they are there comes last."""
        if self.zeros:
            with whole_file(folder / ZEROS) as partial:
                arrays: dict[str, Any] = {"/".join(key): flags for key, flags in self.zeros.items()}
                np.savez_compressed(partial, **arrays)
        write_json(folder / TICKET, {"cut": cuts.to_json(self.cut), **scores})

    def _linears(self) -> list[tuple[Part, Linear]]:
        return [
            (part, operation)
            for part in remaining(self.path, self.cut)
            for operation in operations(self.path, self.cut, part)
            if isinstance(operation, Linear)
        ]


def read_ticket(folder: File, path: Path) -> Ticket:
    """The ticket that `Ticket.save` wrote.

    Raises:
        UserError: when a file is damaged.
    """
    zeros = {}
    with _telling_damage(folder):
        left = cuts.from_json(path, read_json(folder / TICKET)["cut"])
        if (folder / ZEROS).is_file():
            with np.load(folder / ZEROS) as arrays:
                zeros = {tuple(key.split("/")): arrays[key] for key in arrays.files}
    return Ticket(path, left, zeros)


def read_scores(folder: File) -> dict[str, Any]:
    """The scores that `Ticket.save` wrote.

    Raises:
        UserError: when the file is damaged.
    """
    with _telling_damage(folder):
        values = read_json(folder / TICKET)
        return {name: values[name] for name in SCORES}


@contextmanager
def _telling_damage(folder: File) -> Iterator[None]:
    try:
        yield
    except (zipfile.BadZipFile, KeyError, TypeError, ValueError, OSError, EOFError) as error:
        raise UserError(f"'{folder}' is damaged ({error}); delete it to do its round again") from error
