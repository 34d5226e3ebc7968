"""An estimate as a table for people."""

from collections.abc import Callable, Sequence

import numpy as np

import hw
from recfactory.estimate.model import Estimated

NAME, COLUMN = 24, 21
ROWS: tuple[tuple[str, Callable[[hw.Estimate], float], str], ...] = (
    ("energy of an example", lambda one: float(one.energy_j[0]) * 1e9, "nJ"),
    ("latency", lambda one: float(one.latency_s[0]) * 1e6, "us"),
    ("area of what is used", lambda one: float(one.area_m2[0]) * 1e6, "mm2"),
    ("power, pipeline full", lambda one: float(one.power_w[0]) * 1e3, "mW"),
    ("examples a second", lambda one: float(one.examples_per_second[0]), ""),
)
MANY = 12
"""Parts of a model beyond which the small ones share a row."""


def format_estimated(estimated: Estimated) -> str:
    """Totals, then shares of energy and time by part of the model, of energy and area by component."""
    machines = list(estimated.machines.values())
    lines = [f"{estimated.model}: {estimated.macs:,} multiply-accumulates per example"]
    if estimated.bits:
        lines.append("with the bits of its co-design on machines of crossbars")
    lines += ["", _line("", [_ending(name) for name in estimated.machines])]
    lines += [_line(name, [amount(of(one), unit) for one in machines]) for name, of, unit in ROWS]
    lines.append(_line("crossbars in use", [_use(one) for one in machines]))
    by_part = [parts_of(one.operations, one.energy_by_operation[0]) for one in machines]
    times = [parts_of(one.operations, one.latency_by_operation[0]) for one in machines]
    lines += ["", _line("by part of the model", ["energy    time"] * len(machines))]
    lines += _shares(by_part, times)
    lines.append(
        "(shares of the sum of all times; parts that do not wait for each other run at the same time)"
    )
    lines += ["", _line("by component", ["energy"] * len(machines))]
    lines += _shares([dict(zip(one.components, one.energy_by_component[0], strict=True)) for one in machines])
    lines += ["", _line("by component", ["area"] * len(machines))]
    lines += _shares([dict(zip(one.area_parts, one.area_by_part[0], strict=True)) for one in machines])
    if any(one.utilisation[0] > 1 for one in machines):
        lines += [
            "",
            "More than 100% of the crossbars: the model does not fit; the machine needs more tiles.",
        ]
    return "\n".join(line.rstrip() for line in lines)


def parts_of(operations: Sequence[str], values: np.ndarray) -> dict[str, float]:
    """What operations take, summed by part of the model: `block_1_fc.kernel` is of `block_1_fc`."""
    found: dict[str, float] = {}
    for name, value in zip(operations, values, strict=True):
        part = name.split(".")[0]
        found[part] = found.get(part, 0.0) + float(value)
    return found


def _shares(tables: Sequence[dict[str, float]], beside: Sequence[dict[str, float]] = ()) -> list[str]:
    """Rows of shares of each table's total, from the largest on; the small ones together."""
    every = list(dict.fromkeys(name for table in tables for name in table))

    def share(table: dict[str, float], name: str) -> float:
        total = sum(table.values())
        return table.get(name, 0.0) / total if total else 0.0

    def largest(name: str) -> float:
        shares = [share(table, name) for table in (*tables, *beside)]
        return max([one for one in shares if np.isfinite(one)], default=0.0)

    names = sorted(every, key=largest, reverse=True)
    small = names[MANY:]
    rows = [[name] for name in names[:MANY]] + ([small] if small else [])
    lines = []
    for row in rows:
        cells = []
        for place, table in enumerate(tables):
            shown = [_percent(sum(share(table, name) for name in row), any(name in table for name in row))]
            if beside:
                shown.append(_percent(sum(share(beside[place], name) for name in row), True))
            cells.append("  ".join(shown))
        label = row[0] if len(row) == 1 else f"{len(row)} others"
        if any(cell.strip(" -0.%") for cell in cells):
            lines.append(_line(label, cells))
    return lines


def _percent(share: float, known: bool) -> str:
    return f"{share:6.1%}" if known and np.isfinite(share) else "     -"


def _use(one: hw.Estimate) -> str:
    if not one.on_crossbars.any() and not one.utilisation[0]:
        return "-"
    return f"{one.arrays[0].sum():,.0f} ({one.utilisation[0]:.1%})"


def amount(value: float, unit: str) -> str:
    """A number with its unit, as short as can be."""
    if not np.isfinite(value):
        return "not known"
    shown = f"{value:,.0f}" if value >= 1000 else f"{value:.3g}"
    return f"{shown} {unit}".strip()


def _ending(name: str) -> str:
    """What fits in a column of a machine's name, its end."""
    return name if len(name) < COLUMN else f"..{name[4 - COLUMN :]}"


def _line(name: str, cells: Sequence[str]) -> str:
    return f"{name[:NAME]:{NAME}}" + "".join(f"{cell:>{COLUMN}}" for cell in cells)
