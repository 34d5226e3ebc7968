"""TFMA's configuration of an evaluation."""

import json
from collections.abc import Iterable

from tensorflow_model_analysis.proto import config_pb2

from pipelines.evaluation.rows import BASELINE, CANDIDATE
from pipelines.evaluation.thresholds import COMPARED, Bounds, Thresholds

SIGNATURE = "serving_default"
_OURS = "pipelines.evaluation.normalized_entropy"
_METRICS = {
    "auc": ("AUC", None),
    "logloss": ("LogLoss", _OURS),
    "calibration": ("Calibration", None),
    "normalized_entropy": ("NormalizedEntropy", _OURS),
    "example_count": ("Examples", _OURS),
    "mean_label": ("MeanLabel", None),
    "mean_prediction": ("MeanPrediction", None),
}


def make_config(
    thresholds: Thresholds, slices: Iterable[str], weighted: bool, baseline: bool
) -> config_pb2.EvalConfig:
    """Describes the evaluation to TFMA.

    Thresholds on the whole and gains over the baseline become TFMA's value and change thresholds, bound to
    the overall slice (left alone, TFMA would hold every slice to them). Those on slices do not: TFMA cannot
    leave out slices too small to judge.

    Args:
        thresholds: what the model must reach.
        slices: keys to cut the examples by.
        weighted: whether examples carry a weight.
        baseline: whether a second model is evaluated beside.
    """
    config = config_pb2.EvalConfig()
    for name in (CANDIDATE, BASELINE) if baseline else (CANDIDATE,):
        # The type of the model stays unset: TFMA then takes it as a plain TF 2 SavedModel.
        config.model_specs.add(
            name=name,
            signature_name=SIGNATURE,
            prediction_key="ctr",
            label_key="label",
            example_weight_key="weight" if weighted else "",
            is_baseline=name == BASELINE,
        )
    config.slicing_specs.add()
    for column in slices:
        config.slicing_specs.add(feature_keys=[column])
    spec = config.metrics_specs.add()
    if baseline:
        spec.model_names.extend([CANDIDATE, BASELINE])
    for name, (kind, module) in _METRICS.items():
        metric = spec.metrics.add(class_name=kind, module=module or "", config=json.dumps({"name": name}))
        gain = thresholds.min_gain.get(name) if baseline else None
        threshold = _threshold(thresholds.metrics.get(name), name, gain)
        if threshold is not None:
            metric.per_slice_thresholds.add(slicing_specs=[config_pb2.SlicingSpec()], threshold=threshold)
    return config


def _threshold(bounds: Bounds | None, name: str, gain: float | None) -> config_pb2.MetricThreshold | None:
    if bounds is None and gain is None:
        return None
    threshold = config_pb2.MetricThreshold()
    if bounds is not None and bounds.min is not None:
        threshold.value_threshold.lower_bound.value = bounds.min
    if bounds is not None and bounds.max is not None:
        threshold.value_threshold.upper_bound.value = bounds.max
    if gain is not None:
        higher = COMPARED[name] > 0
        change = threshold.change_threshold
        change.absolute.value = gain if higher else -gain
        change.direction = (
            config_pb2.MetricDirection.HIGHER_IS_BETTER
            if higher
            else config_pb2.MetricDirection.LOWER_IS_BETTER
        )
    return threshold
