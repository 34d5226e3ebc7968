"""The best trials of a search as a table to read."""

from collections.abc import Mapping, Sequence
from typing import Any

from recfactory.tuner.trials import STAGE

COLUMNS = ("val_logloss", "val_auc", "macs", "params")


def table(oracle: Any, count: int) -> str:
    """The best trials of a search, a line each.

    Args:
        oracle: that has them, or a worker's client.
        count: of lines, at most.
    """
    trials = oracle.get_best_trials(count)
    if not trials:
        return f"'{oracle.project_dir}' has no finished trials yet"
    names = list(COLUMNS)
    names += [objective.name for objective in oracle.objectives if objective.name not in COLUMNS]
    lines = [["trial", STAGE, *names]]
    for trial in trials:
        scores = {name: trial.metrics.get_last_value(name) for name in trial.metrics.metrics}
        cells = [_text(scores, name) for name in names]
        lines.append([trial.trial_id, str(trial.hyperparameters.values[STAGE]), *cells])
    return "\n".join([f"best trials of '{oracle.project_dir}'", *_aligned(lines)])


def _text(scores: Mapping[str, float], name: str) -> str:
    value = scores.get(name)
    if value is None:
        return "-"
    return f"{value:,.0f}" if name in ("macs", "params") else f"{value:.5g}"


def _aligned(lines: Sequence[Sequence[str]]) -> list[str]:
    widths = [max(map(len, column)) for column in zip(*lines, strict=True)]
    return ["  ".join(cell.rjust(w) for cell, w in zip(line, widths, strict=True)) for line in lines]
