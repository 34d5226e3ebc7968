"""Checkpoints: one file with everything a training needs to go on as if it had never stopped."""

import json
import zipfile
from pathlib import Path
from typing import Any

import keras
import numpy as np
import numpy.typing as npt

from recfactory.errors import UserError
from recfactory.files import whole_file
from recfactory.models.ranker import Ranker
from recfactory.training.state import State

CHECKPOINT = "checkpoint.npz"
Weights = list[npt.NDArray[Any]]


def save(path: Path, ranker: Ranker, state: State, best: Weights) -> None:
    """Writes variables, slots, metrics, random states, best weights and `state`, whole or not at all."""
    arrays: dict[str, Any] = {f"variable-{i}": np.asarray(v) for i, v in enumerate(_variables(ranker))}
    arrays |= {f"best-{i}": weights for i, weights in enumerate(best)}
    arrays["state"] = np.frombuffer(json.dumps(state.to_dict()).encode(), np.uint8)
    with whole_file(path) as partial:
        np.savez(partial, **arrays)


def restore(path: Path, ranker: Ranker) -> tuple[State, Weights]:
    """Puts `ranker` back to where `save` found it.

    Returns:
        The state and the best weights.

    Raises:
        UserError: when the file is damaged.
    """
    variables = _variables(ranker)
    try:
        with np.load(path) as arrays:
            state = State(**json.loads(arrays["state"].tobytes()))
            count = sum(name.startswith("best-") for name in arrays.files)
            best = [arrays[f"best-{i}"] for i in range(count)]
            for i, variable in enumerate(variables):
                variable.assign(arrays[f"variable-{i}"])
    except (zipfile.BadZipFile, KeyError, TypeError, ValueError, OSError, EOFError) as error:
        raise UserError(f"'{path}' is damaged ({error}); delete it to train from the start") from error
    return state, best


def _variables(ranker: Ranker) -> list[keras.Variable]:
    everything = [*ranker.variables, *ranker.metrics_variables]
    for optimizer in ranker.optimizers():
        everything += optimizer.variables
    # A metric's variables may be listed with the model's own.
    return list({id(variable): variable for variable in everything}.values())
