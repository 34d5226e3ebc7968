"""TFMA metrics of click probabilities that TFMA lacks; its workers import this module by name."""

from collections.abc import Callable, Iterable
from typing import Any

import apache_beam as beam
import numpy as np
from tensorflow_model_analysis.metrics import metric_types, metric_util

from recfactory.metrics import CLIP, Vector

Sums = tuple[float, float, float, float]
"""Weighted cross-entropy, weighted labels, weights, rows."""


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


class Examples(metric_types.Metric):  # type: ignore[misc]
    """Number of rows, whatever their weights; TFMA's own ExampleCount counts calls, or adds weights."""

    def __init__(self, name: str = "example_count") -> None:
        super().__init__(metric_util.merge_per_key_computations(_examples), name=name)


metric_types.register_metric(Examples)
metric_types.register_metric(LogLoss)
metric_types.register_metric(NormalizedEntropy)


def _logloss(name: str, model_name: str = "", example_weighted: bool = False, **_: Any) -> list[Any]:
    return _derived(name, model_name, example_weighted, _mean_loss)


def _normalized_entropy(
    name: str, model_name: str = "", example_weighted: bool = False, **_: Any
) -> list[Any]:
    return _derived(name, model_name, example_weighted, _loss_over_entropy)


def _examples(name: str, model_name: str = "", example_weighted: bool = False, **_: Any) -> list[Any]:
    return _derived(name, model_name, example_weighted, lambda sums: sums[3])


def _mean_loss(sums: Sums) -> float:
    loss, _, weight, _ = sums
    return loss / weight if weight > 0 else float("nan")


def _loss_over_entropy(sums: Sums) -> float:
    _, clicks, weight, _ = sums
    if not 0 < clicks < weight:
        return float("nan")
    rate = clicks / weight
    return _mean_loss(sums) / -float(rate * np.log(rate) + (1 - rate) * np.log1p(-rate))


def _derived(
    name: str, model_name: str, example_weighted: bool, formula: Callable[[Sums], float]
) -> list[Any]:
    key = metric_types.MetricKey(name=name, model_name=model_name, example_weighted=example_weighted)
    sums = _sums(model_name, example_weighted)

    def result(metrics: dict[Any, Any]) -> dict[Any, float]:
        return {key: formula(metrics[sums.keys[0]])}

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
        return 0.0, 0.0, 0.0, 0.0

    def add_input(self, sums: Sums, inputs: metric_types.StandardMetricInputs) -> Sums:
        label, prediction = self._vector(inputs.label), self._vector(inputs.prediction)
        weight = self._vector(inputs.example_weight) if self._weighted else np.ones(label.shape)
        clipped = np.clip(prediction, CLIP, 1 - CLIP)
        loss = -(label * np.log(clipped) + (1 - label) * np.log1p(-clipped))
        added = (float(weight @ loss), float(weight @ label), float(weight.sum()), float(len(label)))
        return self.merge_accumulators([sums, added])

    def _vector(self, value: Any) -> Vector:
        # Where two models are evaluated, TFMA keys all of an example's values by model; a model of several
        # outputs has them keyed once more.
        for key in (self._model, "ctr"):
            if isinstance(value, dict) and key in value:
                value = value[key]
        return np.asarray(value, np.float64).ravel()

    def merge_accumulators(self, accumulators: Iterable[Sums]) -> Sums:
        loss, clicks, weight, rows = map(sum, zip(*accumulators, strict=True))
        return loss, clicks, weight, rows

    def extract_output(self, sums: Sums) -> dict[Any, Sums]:
        return {self._key: sums}
