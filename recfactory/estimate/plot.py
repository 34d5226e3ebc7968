"""An estimate as a figure."""

from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import numpy as np

import hw
from recfactory.errors import UsageError
from recfactory.estimate.model import Estimated
from recfactory.estimate.table import amount, parts_of
from recfactory.files import whole_file

ENDINGS = (".svg", ".png", ".pdf")
MANY = 9
"""Shares with a colour of their own."""
OTHERS = "others"


def check_plot(file: Path | str) -> None:
    """Refuses a figure that cannot be drawn, before anything is reckoned.

    Raises:
        UsageError: for a name that says no known kind of figure.
    """
    if Path(file).suffix not in ENDINGS:
        raise UsageError(f"--plot '{file}': name a file that ends with {', '.join(ENDINGS)}")


def plot_estimated(estimated: Estimated, file: Path | str) -> None:
    """Draws what the table says: shares of energy and area, a bar per machine.

    Args:
        estimated: to draw.
        file: to write, whole or not at all; its ending says the kind.

    Raises:
        UsageError: as `check_plot`.
    """
    check_plot(file)
    import matplotlib
    from matplotlib.figure import Figure

    panels: tuple[
        tuple[str, Callable[[hw.Estimate], Mapping[str, float]], Callable[[hw.Estimate], str]], ...
    ] = (
        ("energy by part of the model", _parts, _energy),
        ("energy by component", lambda one: _named(one.components, one.energy_by_component), _energy),
        ("area by component", lambda one: _named(one.area_parts, one.area_by_part), _area),
    )
    # The same estimate gives the same bytes, and text stays text.
    with matplotlib.rc_context({"svg.hashsalt": "recfactory", "svg.fonttype": "none"}):
        figure = Figure(
            figsize=(9, 1.2 + len(panels) * (1.1 + 0.4 * len(estimated.machines))), layout="constrained"
        )
        figure.suptitle(f"{estimated.model}: {estimated.macs:,} multiply-accumulates per example")
        for axes, (title, shares_of, total) in zip(figure.subplots(len(panels)), panels, strict=True):
            bars = {
                f"{name}\n{total(one)}": shares_of(one)
                for name, one in reversed(list(estimated.machines.items()))
            }
            _stack(axes, title, bars)
        with whole_file(file) as partial:
            figure.savefig(partial, metadata={"Date": None} if Path(file).suffix == ".svg" else None)


def _stack(axes: Any, title: str, bars: Mapping[str, Mapping[str, float]]) -> None:
    """A stacked bar of shares for each machine; shares that are small everywhere are one."""
    shares = {label: _scaled(values) for label, values in bars.items()}
    every = list(dict.fromkeys(name for values in shares.values() for name in values))
    every.sort(key=lambda name: max(values.get(name, 0.0) for values in shares.values()), reverse=True)
    left = np.zeros(len(shares))
    for place, name in enumerate([*every[:MANY], OTHERS]):
        names = every[MANY:] if name == OTHERS else [name]
        widths = np.array([sum(values.get(one, 0.0) for one in names) for values in shares.values()])
        if widths.any():
            axes.barh(list(shares), 100 * widths, left=100 * left, color=f"C{place}", label=name)
        left += widths
    axes.set(title=title, xlim=(0, 100), xlabel="%")
    axes.legend(loc="center left", bbox_to_anchor=(1, 0.5), frameon=False, fontsize="small")


def _scaled(values: Mapping[str, float]) -> dict[str, float]:
    total = sum(values.values())
    if not np.isfinite(total) or total <= 0:
        return {}
    return {name: value / total for name, value in values.items()}


def _parts(one: hw.Estimate) -> Mapping[str, float]:
    return parts_of(one.operations, one.energy_by_operation[0])


def _named(names: tuple[str, ...], values: Any) -> Mapping[str, float]:
    return dict(zip(names, map(float, values[0]), strict=True))


def _energy(one: hw.Estimate) -> str:
    return amount(float(one.energy_j[0]) * 1e9, "nJ")


def _area(one: hw.Estimate) -> str:
    return amount(float(one.area_m2[0]) * 1e6, "mm2")
