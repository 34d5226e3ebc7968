"""The epochs of a training: fit, measure, keep the best, stop early; resumable at any batch."""

import math
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import keras
import numpy as np

from recfactory.errors import UserError
from recfactory.models.ranker import Ranker
from recfactory.progress import Progress
from recfactory.training import checkpoint
from recfactory.training.averaging import WeightMean
from recfactory.training.checkpoint import BEST, CHECKPOINT, Weights
from recfactory.training.recipe import Recipe
from recfactory.training.record import Record
from recfactory.training.settling import Settler
from recfactory.training.source import Source
from recfactory.training.state import State

CHECKPOINT_SECONDS = 60.0
"""Between checkpoints inside an epoch; there is one after each epoch as well."""

MEAN = "mean"
"""In a checkpoint: the running mean of weights."""

Log = Callable[[str], None]


def run_epochs(
    ranker: Ranker, source: Source, recipe: Recipe, out: Path, log: Log, checkpoint_seconds: float
) -> State:
    """Trains until the validation LogLoss stops falling; `ranker` ends with its best weights.

    What is judged, and kept, is the running mean of the weights (see `WeightMean`).

    Args:
        ranker: compiled.
        source: of the rows.
        recipe: how to train.
        out: folder of the checkpoint and the records; a checkpoint found there is gone on from.
        log: takes a line per epoch.
        checkpoint_seconds: between checkpoints inside an epoch.

    Raises:
        UserError: when the loss is no longer a number.
    """
    path = out / CHECKPOINT
    state, kept = checkpoint.restore(path, ranker) if path.is_file() else (State(), {})
    best, steps = kept.get(BEST, []), source.steps(recipe)
    mean = WeightMean(ranker.trainable_variables, recipe.averaging, steps, kept.get(MEAN))
    if state.epoch or state.step:
        log(f"resuming after {state.epoch} epochs and {state.step} batches")
    record = Record(out, state)
    settler = Settler(ranker, source, recipe)
    while not state.done(recipe):
        _one_epoch(ranker, source, recipe, _Keeper(path, state, best, mean, checkpoint_seconds))
        loss = float(ranker.mean_loss.result())
        if not math.isfinite(loss):
            raise UserError(f"the loss of epoch {state.epoch + 1} is not a number; lower the learning rate")
        rate = float(f"{ranker.optimizer.learning_rate.numpy():.6g}")
        with mean.applied(), settler.judged(state.epoch) as (valid_logloss, valid_auc):
            better = state.finish_epoch(
                {
                    "train_logloss": loss,
                    "valid_logloss": valid_logloss,
                    "valid_auc": valid_auc,
                    "learning_rate": rate,
                },
                source.rows["train"],
            )
            if better:
                best = ranker.get_weights()
        if not better:
            for optimizer in ranker.optimizers():
                optimizer.learning_rate = np.float32(rate * recipe.decay)
        _save(path, ranker, state, best, mean)
        record.epoch(state)
        log(_line(state, better))
    record.close()
    ranker.set_weights(best)
    return state


def _one_epoch(ranker: Ranker, source: Source, recipe: Recipe, keeper: "_Keeper") -> None:
    state = keeper.state
    data = source.epoch(recipe, state.epoch, state.step)
    left = source.rows["train"] - state.step * recipe.batch_size
    with Progress(f"epoch {state.epoch + 1}", left, "examples") as progress:
        keeper.begin(
            source.steps(recipe), lambda: progress.advance(min(recipe.batch_size, left - progress.done))
        )
        ranker.fit(data, epochs=1, shuffle=False, verbose=0, callbacks=[keeper])
    keeper.clock()


class _Keeper(keras.callbacks.Callback):
    """Counts the batches of an epoch, averages weights and writes checkpoints inside it."""

    def __init__(self, path: Path, state: State, best: Weights, mean: WeightMean, seconds: float) -> None:
        super().__init__()
        self.path, self.state, self.best, self.mean, self.seconds = path, state, best, mean, seconds

    def begin(self, steps: int, advance: Callable[[], None]) -> None:
        """Starts the clock before `fit`, which resets the metrics that a checkpoint may have brought back."""
        self.steps, self.advance = steps, advance
        self.started = self.saved = time.perf_counter()

    def clock(self) -> None:
        """Adds the time since the last call to the epoch's."""
        now = time.perf_counter()
        self.state.seconds += now - self.started
        self.started = now

    def on_train_begin(self, logs: Any = None) -> None:
        """Remembers the metrics before `fit` resets them."""
        self.metrics = [variable.numpy() for variable in self.model.metrics_variables]

    def on_epoch_begin(self, epoch: int, logs: Any = None) -> None:
        """Gives a resumed epoch back the metrics of its first part."""
        if self.state.step:
            for variable, value in zip(self.model.metrics_variables, self.metrics, strict=True):
                variable.assign(value)

    def on_train_batch_end(self, batch: int, logs: Any = None) -> None:
        """Counts the batch; the last one's checkpoint is the epoch's."""
        self.state.step += 1
        self.mean.step(self.state.epoch, self.state.step)
        self.advance()
        if self.state.step < self.steps and time.perf_counter() - self.saved >= self.seconds:
            self.clock()
            _save(self.path, self.model, self.state, self.best, self.mean)
            self.started = self.saved = time.perf_counter()


def _save(path: Path, ranker: Ranker, state: State, best: Weights, mean: WeightMean) -> None:
    checkpoint.save(path, ranker, state, {BEST: best, MEAN: mean.values()})


def _line(state: State, better: bool) -> str:
    row, timing = state.log[-1], state.timings[-1]
    return (
        f"epoch {row['epoch']}: train logloss {row['train_logloss']:.4f}, valid logloss "
        f"{row['valid_logloss']:.4f}, valid auc {row['valid_auc']:.4f}"
        f"{' (best)' if better else ''}, {timing['examples_per_second']:,.0f} examples/s"
    )
