"""How far chance alone moves a metric: rows resampled with replacement."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from recfactory.errors import UserError
from recfactory.metrics import METRICS, Vector, checked, weights_of


@dataclass(frozen=True)
class Spread:
    """A number and how far resampling moves it.

    Args:
        value: on the rows themselves.
        standard_error: deviation over the replicates.
        low: lower end of the interval.
        high: upper end of the interval.
    """

    value: float
    standard_error: float
    low: float
    high: float


def bootstrap(
    label: npt.ArrayLike,
    probability: npt.ArrayLike,
    statistics: Sequence[str] = ("auc", "logloss", "calibration", "normalized_entropy"),
    replicates: int = 200,
    seed: int = 0,
    level: float = 0.95,
    weight: npt.ArrayLike | None = None,
) -> dict[str, Spread]:
    """Resamples rows with replacement (percentile interval; Efron and Tibshirani 1993, chapter 13).

    Args:
        label: `(rows,)` 0 or 1.
        probability: `(rows,)`.
        statistics: names of metrics.
        replicates: resamplings; those of one class only are left out.
        seed: of the resampling.
        level: of the interval, between 0 and 1.
        weight: `(rows,)`.

    Returns:
        The spread of each metric.

    Raises:
        UserError: where a metric cannot be computed on the rows.
    """
    labels, scores, _ = checked(label, probability, weight)
    functions = {name: METRICS[name](labels, scores) for name in statistics}
    return _resample(functions, weights_of(label, weight), replicates, seed, level)


def paired_bootstrap(
    label: npt.ArrayLike,
    probability: npt.ArrayLike,
    other: npt.ArrayLike,
    statistics: Sequence[str] = ("auc", "logloss", "calibration", "normalized_entropy"),
    replicates: int = 200,
    seed: int = 0,
    level: float = 0.95,
    weight: npt.ArrayLike | None = None,
) -> dict[str, Spread]:
    """Spread of `metric(probability) - metric(other)`, both models resampled on the same rows.

    Args:
        label: `(rows,)` 0 or 1.
        probability: `(rows,)` of the one model.
        other: `(rows,)` of the model it is compared with.
        statistics: names of metrics.
        replicates: resamplings; those of one class only are left out.
        seed: of the resampling.
        level: of the interval, between 0 and 1.
        weight: `(rows,)`.

    Returns:
        The spread of each metric's difference.

    Raises:
        UserError: where a metric cannot be computed on the rows.
    """
    labels, ours, _ = checked(label, probability, weight)
    theirs = checked(label, other, weight)[1]

    def difference(name: str) -> Callable[[Vector], float]:
        one, two = METRICS[name](labels, ours), METRICS[name](labels, theirs)
        return lambda weights: one(weights) - two(weights)

    functions = {name: difference(name) for name in statistics}
    return _resample(functions, weights_of(label, weight), replicates, seed, level)


def _resample(
    functions: Mapping[str, Callable[[Vector], float]],
    weights: Vector,
    replicates: int,
    seed: int,
    level: float,
) -> dict[str, Spread]:
    if replicates < 2 or not 0 < level < 1:
        raise UserError(
            f"a bootstrap needs 2 replicates and a level between 0 and 1, not {replicates} and {level}"
        )
    values = {name: function(weights) for name, function in functions.items()}
    random = np.random.default_rng(seed)
    rows = len(weights)
    drawn: dict[str, list[float]] = {name: [] for name in functions}
    for _ in range(replicates):
        counts = np.bincount(random.integers(0, rows, rows), minlength=rows)
        resampled = counts * weights
        for name, function in functions.items():
            try:
                drawn[name].append(function(resampled))
            except UserError:  # a few rows may all fall into one class
                continue
    tail = (1 - level) / 2
    spreads = {}
    for name, value in values.items():
        sample = np.asarray(drawn[name] or [value])
        low, high = np.quantile(sample, [tail, 1 - tail])
        error = float(sample.std(ddof=1)) if len(sample) > 1 else 0.0
        spreads[name] = Spread(value, error, float(low), float(high))
    return spreads
