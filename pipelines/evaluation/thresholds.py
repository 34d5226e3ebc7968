"""What a model must reach to be blessed: the file thresholds.yaml."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Literal

from recfactory.errors import UserError
from recfactory.schema.mapping import Keys
from recfactory.yaml_text import parse_yaml

METRICS = ("auc", "logloss", "calibration", "normalized_entropy")
COMPARED = {"auc": 1.0, "logloss": -1.0, "normalized_entropy": -1.0}
"""Metrics a baseline can be beaten in, with the direction of better."""


@dataclass(frozen=True)
class Bounds:
    """The values a metric may take; None where that side is open.

    Args:
        min: the least.
        max: the most.
    """

    min: float | None = None
    max: float | None = None


@dataclass(frozen=True)
class Slices:
    """The parts of the data that are measured by themselves.

    Args:
        columns: each value of each of these is a slice.
        min_examples: smaller slices are reported, not judged.
        metrics: what every judged slice must reach.
    """

    columns: tuple[str, ...] = ()
    min_examples: int = 1000
    metrics: dict[str, Bounds] = field(default_factory=dict)


@dataclass(frozen=True)
class Confidence:
    """How sure a judgement must be.

    Args:
        replicates: bootstrap resamplings.
        level: of the intervals.
        judge: `estimate`: the measured value must pass; `bound`: the worse end of its interval must pass.
            Slices are judged by the measured value.
    """

    replicates: int = 200
    level: float = 0.95
    judge: Literal["estimate", "bound"] = "estimate"


@dataclass(frozen=True)
class Thresholds:
    """What a model must reach.

    Args:
        metrics: over all examples.
        slices: in parts of them.
        min_gain: least improvement over the baseline, a metric's good direction counted positive; negative
            allows a loss.
        confidence: how sure the judgement must be.
    """

    metrics: dict[str, Bounds] = field(default_factory=dict)
    slices: Slices = field(default_factory=Slices)
    min_gain: dict[str, float] = field(default_factory=dict)
    confidence: Confidence = field(default_factory=Confidence)

    @property
    def empty(self) -> bool:
        """Whether nothing is asked of the model."""
        return not (self.metrics or self.slices.metrics or self.min_gain)


def load_thresholds(source: Path | str | Mapping[str, Any] | None) -> Thresholds:
    """Reads thresholds from a file, or from the mapping such a file holds.

    Args:
        source: thresholds.yaml, its content, or None for no thresholds.

    Raises:
        UserError: naming the file and the key.
    """
    if source is None:
        return Thresholds()
    if isinstance(source, Mapping):
        where, values = "thresholds", dict(source)
    else:
        where, values = str(source), _read(Path(source))
    try:
        return _thresholds(values)
    except UserError as error:
        raise UserError(f"{where}: {error}") from None


def _read(path: Path) -> Any:
    try:
        values = parse_yaml(path.read_text(encoding="utf-8-sig"), str(path))
    except FileNotFoundError:
        raise UserError(f"there is no thresholds file '{path}'") from None
    except (OSError, UnicodeDecodeError) as error:
        raise UserError(f"{path}: cannot read it as a thresholds file ({error})") from None
    if values is None:
        raise UserError(f"{path}: the file is empty; write for example 'metrics: {{auc: {{min: 0.75}}}}'")
    return values


def _thresholds(values: Any) -> Thresholds:
    keys = Keys(values, "", ("metrics", "slices", "baseline", "confidence"))
    part = Keys(keys.get("slices", dict, {}), "slices", ("columns", "min_examples", "metrics"))
    slices = Slices(part.names("columns"), part.get("min_examples", int, 1000), _metrics(part))
    if slices.min_examples < 1:
        raise UserError(f"slices.min_examples: must be at least 1, not {slices.min_examples}")
    baseline = Keys(keys.get("baseline", dict, {}), "baseline", COMPARED)
    gains = {}
    for name in baseline.values:
        gain = Keys(baseline.get(name, dict, {}), f"baseline.{name}", ("min_gain",))
        gains[name] = _number(gain, "min_gain")
        if gains[name] is None:
            raise UserError(f"baseline.{name}: is empty; write for example {{min_gain: 0.0}}")
    return Thresholds(
        _metrics(keys), slices, {k: v for k, v in gains.items() if v is not None}, _confidence(keys)
    )


def _metrics(keys: Keys) -> dict[str, Bounds]:
    asked = Keys(keys.get("metrics", dict, {}), keys.at("metrics"), METRICS)
    bounds = {}
    for name in asked.values:
        place = asked.at(name)
        sides = Keys(asked.get(name, dict, {}), place, ("min", "max"))
        found = Bounds(_number(sides, "min"), _number(sides, "max"))
        if found == Bounds():
            raise UserError(f"{place}: is empty; write for example {{min: 0.75}}")
        if found.min is not None and found.max is not None and found.min > found.max:
            raise UserError(f"{place}: min {found.min} is above max {found.max}, so no model can pass")
        bounds[name] = found
    return bounds


def _confidence(keys: Keys) -> Confidence:
    part = Keys(keys.get("confidence", dict, {}), "confidence", ("replicates", "level", "judge"))
    replicates, level = part.get("replicates", int, 200), part.get("level", float, 0.95)
    judge = part.name("judge") or "estimate"
    if not 20 <= replicates <= 100_000:
        raise UserError(f"confidence.replicates: must be between 20 and 100000, not {replicates}")
    if not 0 < level < 1:
        raise UserError(f"confidence.level: must be between 0 and 1, not {level}")
    if judge not in ("estimate", "bound"):
        raise UserError(f"confidence.judge: must be estimate or bound, not '{judge}'")
    return Confidence(replicates, level, "bound" if judge == "bound" else "estimate")


def _number(keys: Keys, key: str) -> float | None:
    value = keys.get(key, float, float("nan")) if keys.values.get(key) is not None else None
    if value is not None and not abs(value) < float("inf"):
        raise UserError(f"{keys.at(key)}: must be a finite number, not {value}")
    return value
