"""The numbers of an evaluation: exact ones with intervals over all rows, TFMA's for slices."""

import math
from dataclasses import asdict
from typing import Any

import numpy as np
import numpy.typing as npt

from pipelines.evaluation.rows import BASELINE, CANDIDATE, Rows
from pipelines.evaluation.tfma_run import OVERALL, Measured
from pipelines.evaluation.thresholds import COMPARED, METRICS, Confidence, Thresholds
from recfactory import metrics as exact
from recfactory.bootstrap import bootstrap, paired_bootstrap
from recfactory.errors import UserError

DIGITS = 10
"""TFMA's sums vary in the last bits with the order of merging; rounding makes equal runs give equal files."""

Numbers = dict[str, float | None]
Vector = npt.NDArray[np.float64]


def measure(measured: Measured, thresholds: Thresholds, seed: int) -> dict[str, Any]:
    """Computes everything that metrics.json holds.

    AUC over all rows is exact; TFMA's, by a histogram of 10,000 thresholds, stands beside it.

    Args:
        measured: what TFMA computed.
        thresholds: they say how many replicates and which slices are large enough to judge.
        seed: of the bootstrap.
    """
    rows, confidence = measured.rows, thresholds.confidence
    defined, undefined = _defined(rows, rows.candidate)
    return {
        "examples": len(rows),
        "impossible": int(np.sum(~((rows.candidate >= 0) & (rows.candidate <= 1)))),
        "mean_label": _mean(rows, rows.label),
        "mean_prediction": _mean(rows, rows.candidate),
        "overall": _spreads(rows, rows.candidate, defined, confidence, seed),
        "undefined": undefined,
        "tfma": _rounded(measured.metrics.get(OVERALL, {}).get(CANDIDATE, {})),
        "slices": _slices(measured, thresholds),
        "baseline": _baseline(measured, defined, confidence, seed),
        "best_possible": _best(rows),
        "confidence": {"replicates": confidence.replicates, "level": confidence.level, "seed": seed},
    }


def _defined(rows: Rows, probability: Vector) -> tuple[list[str], dict[str, str]]:
    """The metrics that can be computed, and why each of the others cannot."""
    defined, undefined = [], {}
    for name in METRICS:
        try:
            getattr(exact, name)(rows.label, probability, rows.weight)
            defined.append(name)
        except UserError as error:
            undefined[name] = str(error)
    return defined, undefined


def _spreads(
    rows: Rows, probability: Vector, defined: list[str], confidence: Confidence, seed: int
) -> dict[str, Any]:
    found = (
        bootstrap(
            rows.label, probability, defined, confidence.replicates, seed, confidence.level, rows.weight
        )
        if defined
        else {}
    )
    return {name: asdict(found[name]) if name in found else None for name in METRICS}


def _baseline(
    measured: Measured, defined: list[str], confidence: Confidence, seed: int
) -> dict[str, Any] | None:
    rows = measured.rows
    if rows.baseline is None:
        return None
    theirs, undefined = _defined(rows, rows.baseline)
    gain: dict[str, Any] = dict.fromkeys(COMPARED)
    for sign, pair in ((1, (rows.candidate, rows.baseline)), (-1, (rows.baseline, rows.candidate))):
        names = [n for n, better in COMPARED.items() if better == sign and n in defined and n in theirs]
        if names:
            found = paired_bootstrap(
                rows.label, *pair, names, confidence.replicates, seed, confidence.level, rows.weight
            )
            gain.update({name: asdict(spread) for name, spread in found.items()})
    return {
        "overall": _spreads(rows, rows.baseline, theirs, confidence, seed),
        "gain": gain,
        "undefined": undefined,
        "tfma": _rounded(measured.metrics.get(OVERALL, {}).get(BASELINE, {})),
    }


def _slices(measured: Measured, thresholds: Thresholds) -> list[dict[str, Any]]:
    judged = thresholds.slices.columns if thresholds.slices.metrics else ()
    parts = []
    for (column, value), models in measured.metrics.items():
        if (column, value) == OVERALL:
            continue
        numbers, theirs = _rounded(models[CANDIDATE]), _rounded(models[BASELINE])
        examples = int(models[CANDIDATE]["example_count"])
        part = {
            "column": column,
            "value": value,
            "examples": examples,
            "judged": column in judged and examples >= thresholds.slices.min_examples,
            "metrics": {name: numbers.get(name) for name in METRICS},
        }
        if theirs:
            part["baseline"] = {name: theirs.get(name) for name in METRICS}
        parts.append(part)
    return sorted(parts, key=lambda part: (part["column"], -part["examples"], part["value"]))


def _best(rows: Rows) -> Numbers | None:
    """What the known probabilities would reach on these labels, and the model's distance to them."""
    if rows.truth is None:
        return None
    defined, _ = _defined(rows, rows.truth)
    best: Numbers = {
        name: getattr(exact, name)(rows.label, rows.truth, rows.weight) if name in defined else None
        for name in ("auc", "logloss")
    }
    try:
        best["regret"] = exact.regret(rows.truth, rows.candidate, rows.weight)
    except UserError:
        best["regret"] = None
    return best


def _rounded(numbers: dict[str, float]) -> Numbers:
    return {
        name: round(value, DIGITS) if math.isfinite(value) else None
        for name, value in sorted(numbers.items())
    }


def _mean(rows: Rows, values: Vector) -> float | None:
    weight = np.ones(len(rows)) if rows.weight is None else rows.weight
    mean = float(values @ weight / weight.sum()) if weight.sum() > 0 else math.nan
    return mean if math.isfinite(mean) else None
