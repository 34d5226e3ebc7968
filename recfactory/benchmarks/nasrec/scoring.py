"""One candidate scored in NASRec's way, in a process of its own; see `recfactory/benchmarks/scoring.py`."""

import json
import sys
import time
from collections.abc import Callable
from pathlib import Path as File
from typing import Any

import numpy as np
import tensorflow as tf

from recfactory.benchmarks.nasrec.full_width import FullWidth
from recfactory.layers.head import penultimate
from recfactory.layers.stem import source_zero
from recfactory.metrics import auc, logloss
from recfactory.space.path import Path

TRAIN_BATCH, VALID_BATCH = 512, 8192
RATE, EPSILON, CLIP = 0.04, 1e-2, 5.0


class Candidate:
    """A path at full width with its embeddings and a last layer to fine-tune.

    Args:
        path: the architecture.
        weights: as of `full_weights`, and the embedding table as `table`.
        batch: rows that its steps are given.
        last: the last layer to share, the matrix and the bias; default: one of its own.
    """

    def __init__(
        self, path: Path, weights: dict[str, Any], batch: int, last: list[tf.Variable] | None = None
    ) -> None:
        self.batch, self.raw_dense = batch, path.space.raw_dense
        self.table = tf.constant(weights["table"])
        named = {name: value for name, value in weights.items() if name != "table"}
        self.network = FullWidth(path, named, batch)
        self.last = last or [tf.Variable(value) for value in self.network.last_layer()]
        self.squares = [tf.Variable(tf.zeros_like(value)) for value in self.last]
        # Blocks that nothing reads are among the outputs, or the compiler would leave them out; the public
        # code runs them.
        self.tune: Callable[..., Any] = tf.function(self._tune)
        self.predict: Callable[..., Any] = tf.function(self._predict)

    def _tune(self, numbers: tf.Tensor, ids: tf.Tensor, label: tf.Tensor) -> Any:
        """One step of Adagrad on the last layer."""
        features, streams = self._features(numbers, ids)
        residual = (tf.sigmoid(self._logits(features)) - label[:, tf.newaxis]) / self.batch
        gradients = [tf.matmul(features, residual, transpose_a=True), tf.reduce_sum(residual, 0)]
        gradients, _ = tf.clip_by_global_norm(gradients, CLIP)
        for value, square, gradient in zip(self.last, self.squares, gradients, strict=True):
            root = tf.sqrt(square.assign_add(tf.square(gradient)))
            value.assign_sub(RATE * gradient / (root + EPSILON))
        return streams

    def _predict(self, numbers: tf.Tensor, ids: tf.Tensor) -> Any:
        features, streams = self._features(numbers, ids)
        return tf.sigmoid(self._logits(features))[:, 0], streams

    def _logits(self, features: tf.Tensor) -> tf.Tensor:
        return tf.matmul(features, self.last[0]) + self.last[1]

    def _features(self, numbers: tf.Tensor, ids: tf.Tensor) -> tuple[tf.Tensor, Any]:
        zero = source_zero(self.raw_dense, numbers, tf.gather(self.table, ids))
        dense, sparse = self.network.streams(*zero)
        return penultimate(dense[-1], sparse[-1]), (dense, sparse)


def score_candidate(weights: str, path: str, data: str, steps: int, batches: int) -> dict[str, float]:
    """Fine-tunes and evaluates a candidate.

    Args:
        weights: file of its weights.
        path: file of its architecture.
        data: file of the rows: `numbers`, `ids` and `label`, of which each batch takes the next ones.
        steps: of fine-tuning.
        batches: to evaluate.

    Returns:
        Processor seconds of `tune`, of `evaluate` and of what there is once only for the sake of measuring
        (`aside`: reading the rows and a first batch of both kinds); `logloss` and `auc`.
    """
    begin = time.process_time()
    rows = dict(np.load(data))
    reading = time.process_time() - begin
    architecture = Path.from_json(File(path).read_text(encoding="utf-8"))
    values = dict(np.load(weights))
    tuned = Candidate(architecture, values, TRAIN_BATCH)
    judged = Candidate(architecture, values, VALID_BATCH, tuned.last)
    train, valid = _batches(rows, TRAIN_BATCH, steps), _batches(rows, VALID_BATCH, batches)
    # Traced and optimised at the first call, which belongs to the start.
    tuned.tune(*train[0])
    judged.predict(*valid[0][:2])[0].numpy()
    begin = time.process_time()
    for batch in train:
        tuned.tune(*batch)
    tuned.last[1].numpy()
    middle = time.process_time()
    predicted = np.concatenate([judged.predict(*batch[:2])[0].numpy() for batch in valid])
    label = np.concatenate([batch[2].numpy() for batch in valid])
    reached = {"logloss": logloss(label, predicted), "auc": auc(label, predicted)}
    end = time.process_time()
    tune, evaluate = middle - begin, end - middle
    return {
        "tune": tune,
        "evaluate": evaluate,
        "aside": reading + tune / steps + evaluate / batches,
        **reached,
    }


def _batches(rows: dict[str, Any], size: int, count: int) -> list[tuple[tf.Tensor, ...]]:
    parts = [
        [rows[name][i * size : (i + 1) * size] for name in ("numbers", "ids", "label")] for i in range(count)
    ]
    return [tuple(tf.constant(value) for value in part) for part in parts]


if __name__ == "__main__":
    print(json.dumps(score_candidate(sys.argv[1], sys.argv[2], sys.argv[3], *map(int, sys.argv[4:]))))
