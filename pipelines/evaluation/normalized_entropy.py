"""TFMA metrics of click probabilities that TFMA lacks; its workers import this module by name."""

from collections.abc import Iterable
from typing import Any

import apache_beam as beam
import numpy as np
from tensorflow_model_analysis.metrics import metric_types, metric_util

from recfactory.metrics import CLIP, Vector

Sums = tuple[float, float, float]
"""Weighted cross-entropy, weighted labels, weights."""


class LogLoss(metric_types.Metric):  # type: ignore[misc]
    """Mean binary cross-entropy of clipped probabilities.

    TFMA's own BinaryCrossEntropy does not clip: one prediction of exactly 0 or 1 makes it infinite or NaN.
    """

    def __init__(self, name: str = "logloss") -> None:
        super().__init__(metric_util.merge_per_key_computations(_logloss), name=name)


class NormalizedEntropy(metric_types.Metric):  # type: ignore[misc]
    """LogLoss over the entropy of the base rate (He et al. 2014, section 2)."""

    def __init__(self, name: str = "normalized_entropy") -> None:
        super().__init__(metric_util.merge_per_key_computations(_normalized_entropy), name=name)


metric_types.register_metric(LogLoss)
metric_types.register_metric(NormalizedEntropy)


def _logloss(name: str, model_name: str = "", example_weighted: bool = False, **_: Any) -> list[Any]:
    key = metric_types.MetricKey(name=name, model_name=model_name, example_weighted=example_weighted)
    sums = _sums(model_name, example_weighted)

    def result(metrics: dict[Any, Any]) -> dict[Any, float]:
        loss, _, weight = metrics[sums.keys[0]]
        return {key: loss / weight if weight > 0 else float("nan")}

    return [sums, metric_types.DerivedMetricComputation(keys=[key], result=result)]


def _normalized_entropy(
    name: str, model_name: str = "", example_weighted: bool = False, **_: Any
) -> list[Any]:
    key = metric_types.MetricKey(name=name, model_name=model_name, example_weighted=example_weighted)
    sums = _sums(model_name, example_weighted)

    def result(metrics: dict[Any, Any]) -> dict[Any, float]:
        loss, clicks, weight = metrics[sums.keys[0]]
        if not 0 < clicks < weight:
            return {key: float("nan")}
        rate = clicks / weight
        entropy = -rate * np.log(rate) - (1 - rate) * np.log1p(-rate)
        return {key: float(loss / weight / entropy)}

    return [sums, metric_types.DerivedMetricComputation(keys=[key], result=result)]


def _sums(model_name: str, example_weighted: bool) -> metric_types.MetricComputation:
    # Equal keys make TFMA compute the sums once for both metrics.
    key = metric_types.MetricKey(
        name="_cross_entropy_sums", model_name=model_name, example_weighted=example_weighted
    )
    return metric_types.MetricComputation(
        keys=[key], preprocessors=None, combiner=_SumsCombiner(key, model_name, example_weighted)
    )


class _SumsCombiner(beam.CombineFn):  # type: ignore[misc]
    """Adds up cross-entropy, labels and weights."""

    def __init__(self, key: metric_types.MetricKey, model_name: str, example_weighted: bool) -> None:
        self._key, self._model, self._weighted = key, model_name, example_weighted

    def create_accumulator(self) -> Sums:
        return 0.0, 0.0, 0.0

    def add_input(self, sums: Sums, inputs: metric_types.StandardMetricInputs) -> Sums:
        label, prediction = self._vector(inputs.label), self._vector(inputs.prediction)
        weight = self._vector(inputs.example_weight) if self._weighted else np.ones(label.shape)
        clipped = np.clip(prediction, CLIP, 1 - CLIP)
        loss = -(label * np.log(clipped) + (1 - label) * np.log1p(-clipped))
        return sums[0] + float(weight @ loss), sums[1] + float(weight @ label), sums[2] + float(weight.sum())

    def _vector(self, value: Any) -> Vector:
        # Where two models are evaluated, TFMA keys all of an example's values by model; a model of several
        # outputs has them keyed once more.
        for key in (self._model, "ctr"):
            if isinstance(value, dict) and key in value:
                value = value[key]
        return np.asarray(value, np.float64).ravel()

    def merge_accumulators(self, accumulators: Iterable[Sums]) -> Sums:
        parts = list(accumulators)
        return sum(p[0] for p in parts), sum(p[1] for p in parts), sum(p[2] for p in parts)

    def extract_output(self, sums: Sums) -> dict[Any, Sums]:
        return {self._key: sums}
