"""`recfactory estimate`."""

import argparse
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from recfactory.cli.terminal import Result, say, setting
from recfactory.errors import UsageError


def do_estimate(asked: argparse.Namespace) -> Result:
    """Estimates a model on machines."""
    from recfactory.training.recipe import Recipe

    if asked.set and Path(asked.model).is_dir():
        raise UsageError(f"'{asked.model}' was trained with sizes of its own: leave out --set")
    recipe = Recipe.from_dict(dict(setting(text) for text in asked.set))
    return estimate(asked.model, asked.features, asked.hardware, recipe, asked.plot)


def estimate(
    model: str, features: str, machines: Sequence[str] = (), recipe: Any = None, plot: str | None = None
) -> Result:
    """Estimates what a model costs on machines, and prints a table of it."""
    from recfactory.estimate.model import estimate_model
    from recfactory.estimate.plot import check_plot, plot_estimated
    from recfactory.estimate.table import format_estimated

    if plot is not None:
        check_plot(plot)
    estimated = estimate_model(model, features, machines, recipe)
    say(format_estimated(estimated))
    if plot is not None:
        plot_estimated(estimated, plot)
        say(f"drawn in {plot}")
    return estimated.to_dict()
