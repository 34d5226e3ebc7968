"""Checkpoints: one file with everything a training needs to go on as if it had never stopped."""

import json
import zipfile
from collections.abc import Mapping
from pathlib import Path
from typing import Any, Protocol

import keras
import numpy as np
import numpy.typing as npt

from recfactory.errors import UserError
from recfactory.files import whole_file
from recfactory.training.state import State

CHECKPOINT = "checkpoint.npz"
KEPT, BEST = "kept", "best"
"""In the names of other weights that are kept; those of the best epoch."""


class Trained(Protocol):
    """A Keras model and its optimizers."""

    variables: list[keras.Variable]
    metrics_variables: list[keras.Variable]

    def optimizers(self) -> tuple[Any, ...]:
        """Its optimizers, their variables made."""


Weights = list[npt.NDArray[Any]]


def save(path: Path, model: Trained, state: State, kept: Mapping[str, Weights]) -> None:
    """Writes variables, slots, metrics, random states and `state`, whole or not at all.

    Args:
        path: of the file.
        model: to save.
        state: of its training.
        kept: other weights that the training remembers, by name.
    """
    arrays: dict[str, Any] = {f"variable-{i}": np.asarray(v) for i, v in enumerate(_variables(model))}
    for name, weights in kept.items():
        arrays |= {f"{KEPT}-{name}-{i}": weight for i, weight in enumerate(weights)}
    arrays["state"] = np.frombuffer(json.dumps(state.to_dict()).encode(), np.uint8)
    with whole_file(path) as partial:
        np.savez(partial, **arrays)


def restore(path: Path, model: Trained) -> tuple[State, dict[str, Weights]]:
    """Puts `model` back to where `save` found it.

    Returns:
        The state and the other weights that were kept; a name without any is missing.

    Raises:
        UserError: when the file is damaged.
    """
    variables = _variables(model)
    try:
        with np.load(path) as arrays:
            state = State(**json.loads(arrays["state"].tobytes()))
            kept = _kept(arrays)
            for i, variable in enumerate(variables):
                variable.assign(arrays[f"variable-{i}"])
    except (zipfile.BadZipFile, KeyError, TypeError, ValueError, OSError, EOFError) as error:
        raise UserError(f"'{path}' is damaged ({error}); delete it to train from the start") from error
    return state, kept


def _kept(arrays: np.lib.npyio.NpzFile) -> dict[str, Weights]:
    kept: dict[str, Weights] = {}
    for each in arrays.files:  # in the order they were written
        if each.startswith(KEPT):
            kept.setdefault(each.split("-")[1], []).append(arrays[each])
    return kept


def _variables(model: Trained) -> list[keras.Variable]:
    everything = [*model.variables, *model.metrics_variables]
    for optimizer in model.optimizers():
        everything += optimizer.variables
    # A metric's variables may be listed with the model's own.
    return list({id(variable): variable for variable in everything}.values())
