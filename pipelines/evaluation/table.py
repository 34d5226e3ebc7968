"""An evaluation as a table for the terminal."""

from typing import Any

SLICES_SHOWN = 20


def format_evaluation(metrics: dict[str, Any], blessing: dict[str, Any]) -> str:
    """What was measured and whether the model is blessed.

    Args:
        metrics: the content of metrics.json.
        blessing: the content of blessing.json.

    Returns:
        Lines of at most about 100 characters.
    """
    lines = [*_overall(metrics), *_slices(metrics), "", *_blessing(blessing)]
    return "\n".join(lines)


def _overall(metrics: dict[str, Any]) -> list[str]:
    level = f"{100 * metrics['confidence']['level']:g}% interval"
    base, best = metrics["baseline"], metrics["best_possible"]
    header = f"{metrics['examples']:,} examples".ljust(20) + f"{'value':>10}  {level:^22}"
    header += f"{'baseline':>10}  {'gain':^34}" if base else ""
    lines = [header + (f"{'best possible':>15}" if best else "")]
    for name, spread in metrics["overall"].items():
        line = f"{name:20}" + _with_interval(spread)
        if base:
            theirs = base["overall"][name]
            line += f"{_number(theirs and theirs['value'])}  "
            line += _with_interval(base["gain"][name], "+") if name in base["gain"] else " " * 34
        if best:
            line += f"{best[name]:15.6f}" if best.get(name) is not None else ""
        lines.append(line.rstrip())
    clicked = _number(metrics["mean_label"]).strip()
    lines.append(f"{'mean':20}{_number(metrics['mean_prediction'])}  predicted, {clicked} clicked")
    if best and best["regret"] is not None:
        lines.append(f"{'regret':20}{best['regret']:10.6f}  mean KL divergence from the known probabilities")
    return lines


def _slices(metrics: dict[str, Any]) -> list[str]:
    parts = metrics["slices"]
    if not parts:
        return []
    names = list(parts[0]["metrics"])
    lines = ["", f"{'slice':28}{'examples':>10}" + "".join(f"{name:>20}" for name in names)]
    for part in parts[:SLICES_SHOWN]:
        label = f"{part['column']}={part['value']}"
        label = label if len(label) <= 27 else label[:24] + "..."
        numbers = "".join(f"{_number(part['metrics'][name]):>20}" for name in names)
        lines.append(f"{label:28}{part['examples']:10,}{numbers}")
    if len(parts) > SLICES_SHOWN:
        lines.append(f"... and {len(parts) - SLICES_SHOWN} more in metrics.json")
    return lines


def _blessing(blessing: dict[str, Any]) -> list[str]:
    if blessing["blessed"]:
        return [f"blessed: {len(blessing['checks'])} checks passed"]
    return ["not blessed:", *(f"  - {reason}" for reason in blessing["reasons"])]


def _with_interval(spread: dict[str, float] | None, sign: str = "") -> str:
    if spread is None:
        return f"{'undefined':>10}" + " " * 24
    interval = f"[{spread['low']:{sign}.6f}, {spread['high']:{sign}.6f}]"
    return f"{spread['value']:{sign}10.6f}  {interval:22}"


def _number(value: float | None) -> str:
    return f"{'undefined':>10}" if value is None else f"{value:10.6f}"
