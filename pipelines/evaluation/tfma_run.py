"""Runs TFMA on Beam: examples through the models' serving signatures, metrics overall and per slice."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import apache_beam as beam
import numpy as np
import pyarrow as pa
import tensorflow as tf
import tensorflow_model_analysis as tfma
from tensorflow_model_analysis.proto import config_pb2, metrics_for_slice_pb2, validation_result_pb2

from pipelines.evaluation.examples import Examples, read_batches
from pipelines.evaluation.grouping import MEMBERSHIP, grouped_extractors
from pipelines.evaluation.rows import BASELINE, CANDIDATE, Rows, RowsEvaluator, columns, scratch
from pipelines.evaluation.slices import membership
from pipelines.runner import make_pipeline, run_pipeline

OVERALL = ("", "")


@dataclass(frozen=True)
class Measured:
    """What TFMA computed.

    Args:
        metrics: by (slice column, value), `OVERALL` for the whole; then by model; then by name.
        validation_ok: TFMA's own verdict on the thresholds it was given; None where it was given none.
        rows: labels and predictions.
    """

    metrics: dict[tuple[str, str], dict[str, dict[str, float]]]
    validation_ok: bool | None
    rows: Rows


def run_tfma(
    examples: Examples,
    slices: dict[str, tuple[str, ...]],
    config: config_pb2.EvalConfig,
    saved_models: dict[str, Path],
    folder: Path,
    runner: str | None = None,
    options: Sequence[str] = (),
) -> Measured:
    """Evaluates and reads the results back.

    Args:
        examples: what to evaluate on.
        slices: values of each key that become slices.
        config: as `make_config` makes it.
        saved_models: SavedModel folder of each model of the configuration.
        folder: where TFMA writes its result files.
        runner: of Beam.
        options: Beam's own flags.

    Raises:
        UserError: for damaged examples.
    """
    models = [
        tfma.default_eval_shared_model(str(path), model_name=name, eval_config=config)
        for name, path in saved_models.items()
    ]
    shared = models if len(models) > 1 else models[0]
    names = tuple(saved_models)
    keys = [(column, value) for column, values in slices.items() for value in values]
    with scratch(folder.parent) as rows_folder:
        keeper = RowsEvaluator(columns(examples.roles, names), names, rows_folder)
        pipeline = make_pipeline(runner, options)
        _ = (
            pipeline
            | "Files" >> beam.Create(list(examples.files), reshuffle=len(examples.files) > 1)
            | "Read" >> beam.ParDo(_ReadBatches(examples, slices))
            | "Evaluate"
            >> tfma.ExtractEvaluateAndWriteResults(
                eval_config=config,
                eval_shared_model=shared,
                extractors=grouped_extractors(
                    tfma.default_extractors(eval_shared_model=shared, eval_config=config), keys
                ),
                evaluators=[
                    *tfma.default_evaluators(eval_shared_model=shared, eval_config=config),
                    keeper.evaluator(),
                ],
                writers=[
                    *tfma.default_writers(
                        output_path=str(folder), eval_shared_model=shared, eval_config=config
                    ),
                    keeper.writer(),
                ],
            )
        )
        run_pipeline(pipeline)
        return Measured(_metrics(folder), _validation(folder, config), keeper.read())


class _ReadBatches(beam.DoFn):  # type: ignore[misc]
    """Reads a file as the record batches TFMA takes: roles, slices, and the serialized examples."""

    def __init__(self, examples: Examples, slices: dict[str, tuple[str, ...]]) -> None:
        self._kinds, self._roles, self._slices = examples.kinds, examples.roles, slices

    def process(self, file: str) -> Iterator[pa.RecordBatch]:
        for batch, records in read_batches(file, self._kinds):
            columns = {name: batch.column(name) for name in self._roles}
            if self._slices:
                belongs = membership(batch, self._slices)
                ends = np.arange(len(records) + 1, dtype=np.int32) * belongs.shape[1]
                columns[MEMBERSHIP] = pa.ListArray.from_arrays(ends, belongs.ravel())
            columns[tfma.ARROW_INPUT_COLUMN] = pa.array(
                [[record] for record in records], pa.list_(pa.binary())
            )
            yield pa.RecordBatch.from_pydict(columns)


def _metrics(folder: Path) -> dict[tuple[str, str], dict[str, dict[str, float]]]:
    found: dict[tuple[str, str], dict[str, dict[str, float]]] = {}
    for part in _read(folder, "metrics-*", metrics_for_slice_pb2.MetricsForSlice):
        keys = [(key.column, _value(key)) for key in part.slice_key.single_slice_keys]
        models = found.setdefault(keys[0] if keys else OVERALL, {CANDIDATE: {}, BASELINE: {}})
        for item in part.metric_keys_and_values:
            if not item.key.is_diff and item.value.WhichOneof("type") == "double_value":
                model = item.key.model_name or CANDIDATE
                models[model][item.key.name] = item.value.double_value.value
    return found


def _value(key: Any) -> str:
    kind = key.WhichOneof("kind")
    value = getattr(key, kind)
    return value.decode("utf-8", "replace") if isinstance(value, bytes) else str(value)


def _validation(folder: Path, config: config_pb2.EvalConfig) -> bool | None:
    asked = any(metric.per_slice_thresholds for spec in config.metrics_specs for metric in spec.metrics)
    if not asked:
        return None
    verdicts = _read(folder, "validations*", validation_result_pb2.ValidationResult)
    return bool(verdicts) and all(verdict.validation_ok for verdict in verdicts)


def _read(folder: Path, pattern: str, message: Any) -> list[Any]:
    files = sorted(str(file) for file in folder.glob(pattern))
    return [message.FromString(record) for record in tf.data.TFRecordDataset(files).as_numpy_iterator()]
