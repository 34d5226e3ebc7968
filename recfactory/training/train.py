"""`recfactory train`: one model on a features folder."""

import statistics
import sys
from pathlib import Path as File
from typing import Any

import keras
import tensorflow as tf

from recfactory.errors import UserError
from recfactory.features import packed
from recfactory.files import write_json
from recfactory.models import registry
from recfactory.models.macs import count_macs
from recfactory.models.ranker import Ranker
from recfactory.space.path import Path
from recfactory.space.path_file import ENDING, check_columns, path_name, read_codesign, write_path
from recfactory.training import folder
from recfactory.training.checkpoint import CHECKPOINT
from recfactory.training.loop import CHECKPOINT_SECONDS, Log, run_epochs
from recfactory.training.optimizers import compile_for
from recfactory.training.recipe import Recipe
from recfactory.training.source import Source, open_source
from recfactory.training.state import State


def print_line(line: str) -> None:
    """Writes a line to stderr; stdout is for results."""
    print(line, file=sys.stderr, flush=True)


def ignore_line(line: str) -> None:
    """Takes the lines of a job that is one of many."""


def train(
    features: File | str,
    model: str | Path,
    out: File | str,
    recipe: Recipe | None = None,
    log: Log = print_line,
    checkpoint_seconds: float = CHECKPOINT_SECONDS,
) -> dict[str, Any]:
    """Trains a hand-made model or a path, or goes on with a training that was interrupted.

    An interrupted training ends with the very weights of an undisturbed one. Test rows are not read.

    Args:
        features: a features folder.
        model: one of `registry.MODELS`, a path, or the name of a path file such as best.json.
        out: the model's folder; becomes model.keras, recipe.json, training.jsonl, timings.jsonl,
            tensorboard/, for a path path.json and, last, result.json.
        recipe: hyperparameters; a path has its own sizes and takes all others.
        log: takes the lines that say how it goes.
        checkpoint_seconds: between checkpoints inside an epoch.

    Returns:
        The content of result.json: names, sizes, validation metrics of the best epoch, speed. Of the sizes,
        `macs` are multiply-accumulates per example (see `count_macs`), `params` all weights, `tower_params`
        those without the embedding table.

    Raises:
        UserError: for an unknown model, a path file that is none or of other columns, features that cannot
            be trained on, or a folder that holds another training.
    """
    codesign = read_codesign(model) if isinstance(model, str) and model.endswith(ENDING) else {}
    model = registry.find(model)
    recipe, out = recipe or Recipe(), File(out)
    source = open_source(features)
    if isinstance(model, Path):
        check_columns(model, source.layout, source.features)
    with folder.claim(out, model_name(model), recipe, source.digest) as finished:
        if isinstance(model, Path):
            write_path(out / folder.PATH, model, **codesign)
        if finished is not None:
            (out / CHECKPOINT).unlink(missing_ok=True)
            log(f"'{out}' is trained already")
            return finished
        # Names of layers count up within a process.
        keras.backend.clear_session()
        tf.config.experimental.enable_op_determinism()
        ranker = registry.build(model, source.layout, recipe, source.prior)
        compile_for(ranker, recipe)
        try:
            state = run_epochs(ranker, source, recipe, out, log, checkpoint_seconds)
        except (tf.errors.DataLossError, tf.errors.InvalidArgumentError) as error:
            damaged = packed.find_damage(source.features)
            if damaged is None:
                raise
            raise UserError(f"file '{damaged}' is damaged; make the features again") from error
        registry.save(ranker, out / folder.MODEL)
        result = _result(model, recipe, source, ranker, state)
        write_json(out / folder.RESULT, result)
        (out / CHECKPOINT).unlink(missing_ok=True)
        return result


def model_name(model: str | Path) -> str:
    """What a model folder is marked with; equal networks have equal names."""
    return path_name(model) if isinstance(model, Path) else model


def _result(
    model: str | Path, recipe: Recipe, source: Source, ranker: Ranker, state: State
) -> dict[str, Any]:
    return {
        "model": model_name(model),
        "seed": recipe.seed,
        "macs": count_macs(ranker),
        "params": int(ranker.count_params()),
        "tower_params": int(ranker.tower.count_params()),
        "table_rows": source.layout.table_rows,
        "rows": source.rows["train"],
        "epochs": state.epoch,
        "best_epoch": state.best_epoch,
        "auc": state.best["valid_auc"],
        "logloss": state.best["valid_logloss"],
        "train_logloss": state.best["train_logloss"],
        "split": "valid",
        "seconds": sum(timing["seconds"] for timing in state.timings),
        "examples_per_second": statistics.median(t["examples_per_second"] for t in state.timings),
        "weights_sha256": registry.weights_sha256(ranker),
    }
