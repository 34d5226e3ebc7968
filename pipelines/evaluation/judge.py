"""Holds what was measured against the thresholds: the blessing."""

from collections.abc import Iterator
from dataclasses import asdict, dataclass
from typing import Any

from pipelines.evaluation.thresholds import Bounds, Thresholds

NO_THRESHOLDS = "no thresholds were given, so nothing says what a good model is; give --thresholds FILE"


@dataclass(frozen=True)
class Check:
    """One comparison.

    Args:
        where: `overall`, `baseline`, or `COLUMN=VALUE` for a slice.
        metric: the metric's name.
        limit: `min`, `max` or `min_gain`.
        threshold: the limit's value.
        measured: the number that was judged; None where the metric could not be computed.
        passed: whether the model passed.
    """

    where: str
    metric: str
    limit: str
    threshold: float
    measured: float | None
    passed: bool


def judge(metrics: dict[str, Any], thresholds: Thresholds) -> tuple[list[Check], list[str]]:
    """Compares.

    Args:
        metrics: as `measure` gives them.
        thresholds: what the model must reach.

    Returns:
        Every check, and a sentence for each reason not to bless the model; no reason means blessed.
    """
    if thresholds.empty:
        return [], [NO_THRESHOLDS]
    bound = thresholds.confidence.judge == "bound"
    checks = list(_overall(metrics["overall"], thresholds.metrics, bound))
    for part in metrics["slices"]:
        if part["judged"]:
            where = f"{part['column']}={part['value']}"
            checks.extend(_bounds(where, thresholds.slices.metrics, part["metrics"], part["metrics"]))
    reasons = []
    if metrics["impossible"]:
        count = f"{metrics['impossible']:,} of {metrics['examples']:,} predictions"
        reasons.append(f"{count} are no probabilities: NaN, or outside 0 to 1")
    if thresholds.min_gain and metrics["baseline"] is None:
        reasons.append(
            "the thresholds ask for a gain over a baseline, but there is none; "
            "give --baseline MODEL or remove 'baseline' from the thresholds"
        )
    elif thresholds.min_gain:
        checks.extend(_gains(metrics["baseline"]["gain"], thresholds.min_gain, bound))
    undefined = metrics["undefined"]
    for check in checks:
        if not check.passed:
            why = undefined.get(check.metric) if check.where == "overall" else None
            reasons.append(_reason(check, why, bound))
    return checks, reasons


def as_dicts(checks: list[Check]) -> list[dict[str, Any]]:
    """The checks as JSON values."""
    return [asdict(check) for check in checks]


def _overall(measured: dict[str, Any], asked: dict[str, Bounds], bound: bool) -> Iterator[Check]:
    low = {name: spread and spread["low" if bound else "value"] for name, spread in measured.items()}
    high = {name: spread and spread["high" if bound else "value"] for name, spread in measured.items()}
    yield from _bounds("overall", asked, low, high)


def _bounds(
    where: str, asked: dict[str, Bounds], low: dict[str, float | None], high: dict[str, float | None]
) -> Iterator[Check]:
    for name, bounds in asked.items():
        if bounds.min is not None:
            least = low[name]
            yield Check(where, name, "min", bounds.min, least, least is not None and least >= bounds.min)
        if bounds.max is not None:
            most = high[name]
            yield Check(where, name, "max", bounds.max, most, most is not None and most <= bounds.max)


def _gains(gains: dict[str, Any], asked: dict[str, float], bound: bool) -> Iterator[Check]:
    for name, least in asked.items():
        spread = gains[name]
        gain = None if spread is None else spread["low" if bound else "value"]
        yield Check("baseline", name, "min_gain", least, gain, gain is not None and gain >= least)


def _reason(check: Check, undefined: str | None, bound: bool) -> str:
    place = {"overall": "", "baseline": ""}.get(check.where, f" of the slice {check.where}")
    if check.measured is None:
        why = f" ({undefined})" if undefined else ""
        return (
            f"{check.metric}{place} could not be computed{why}, so it fails {check.limit} {check.threshold:g}"
        )
    side = "low" if check.limit in ("min", "min_gain") else "high"
    may_be = f"may be as {side} as" if bound and check.where in ("overall", "baseline") else "is"
    if check.limit == "min_gain":
        return (
            f"the gain in {check.metric} over the baseline {may_be} {check.measured:+.6f}, "
            f"less than the required {check.threshold:+g}"
        )
    limit = "below the required minimum" if check.limit == "min" else "above the allowed maximum"
    return f"{check.metric}{place} {may_be} {check.measured:.6f}, {limit} {check.threshold:g}"
