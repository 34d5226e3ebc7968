"""One row per example, kept beside TFMA's sums: what exact metrics and the bootstrap need."""

import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import apache_beam as beam
import numpy as np
import numpy.typing as npt
from tensorflow_model_analysis import constants
from tensorflow_model_analysis.evaluators import evaluator
from tensorflow_model_analysis.extractors import predictions_extractor
from tensorflow_model_analysis.writers import writer

Vector = npt.NDArray[np.float64]
KEY = "prediction_rows"
CANDIDATE, BASELINE = "candidate", "baseline"
"""TFMA's names of the two models."""


@dataclass(frozen=True)
class Rows:
    """What was predicted, each vector `(rows,)`.

    Args:
        label: 0 or 1.
        candidate: probabilities of the model under test.
        baseline: probabilities of the baseline, where there is one.
        weight: row weights, where the examples have them.
        truth: known click probabilities, where the examples have them.
    """

    label: Vector
    candidate: Vector
    baseline: Vector | None = None
    weight: Vector | None = None
    truth: Vector | None = None

    def __len__(self) -> int:
        return len(self.label)


def columns(roles: tuple[str, ...], models: tuple[str, ...]) -> tuple[str, ...]:
    """The columns of a block of rows, in order of rising weight in the sort.

    The baseline comes first: the bootstrap of the candidate shall not depend on it.
    """
    return (*models[1:], *roles, models[0])


class RowsEvaluator:
    """Makes TFMA keep the rows: an evaluator that runs on whole batches, and the writer of its output.

    Args:
        names: as `columns` gives them.
        models: names of the models, one or two.
        folder: where blocks of rows are written.
    """

    def __init__(self, names: tuple[str, ...], models: tuple[str, ...], folder: Path) -> None:
        self._names, self._models, self._folder = names, models, str(folder)

    def evaluator(self) -> evaluator.Evaluator:
        """The evaluator."""
        names, models = self._names, self._models

        def block(extracts: dict[str, Any]) -> bytes:
            return _block(extracts, names, models)

        def evaluate(extracts: beam.pvalue.PCollection) -> dict[str, beam.pvalue.PCollection]:
            return {KEY: extracts | "Block" >> beam.Map(block)}

        return evaluator.Evaluator(
            stage_name="KeepRows",
            run_after=predictions_extractor.PREDICTIONS_EXTRACTOR_STAGE_NAME,
            ptransform=beam.ptransform_fn(evaluate)(),
        )

    def writer(self) -> writer.Writer:
        """The writer."""
        sink = beam.io.WriteToTFRecord(f"{self._folder}/rows")

        def write(evaluation: dict[str, beam.pvalue.PCollection]) -> Any:
            return evaluation[KEY] | sink

        return writer.Writer(stage_name="WriteRows", ptransform=beam.ptransform_fn(write)())

    def read(self) -> Rows:
        """The rows that were written, in an order that depends on their values alone."""
        import tensorflow as tf

        files = sorted(str(file) for file in Path(self._folder).glob("rows*"))
        blocks = [
            np.frombuffer(raw, np.float64).reshape(-1, len(self._names))
            for raw in tf.data.TFRecordDataset(files).as_numpy_iterator()
        ]
        matrix = np.concatenate(blocks)
        matrix = matrix[np.lexsort(matrix.T)]
        return Rows(**{name: np.ascontiguousarray(matrix[:, i]) for i, name in enumerate(self._names)})


@contextmanager
def scratch(folder: Path) -> Iterator[Path]:
    """A folder inside `folder` that is removed at the end; remote workers see it as they see `folder`."""
    with tempfile.TemporaryDirectory(prefix=".partial-rows-", dir=folder) as name:
        yield Path(name)


def _block(extracts: dict[str, Any], names: tuple[str, ...], models: tuple[str, ...]) -> bytes:
    predictions = extracts[constants.PREDICTIONS_KEY]
    found = {name: extracts[constants.FEATURES_KEY][name] for name in names if name not in models}
    for model in models:
        of_model = predictions[model] if len(models) > 1 else predictions
        found[model] = of_model["ctr"] if isinstance(of_model, dict) else of_model
    matrix = np.stack([np.asarray(found[name], np.float64).ravel() for name in names], axis=1)
    return np.ascontiguousarray(matrix).tobytes()
