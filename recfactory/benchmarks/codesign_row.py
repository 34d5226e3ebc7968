"""One row of the co-design benchmark: a co-design, or an architecture with few bits on crossbars."""

import shutil
import time
from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

import hw
from hw.config import PIMConfig
from recfactory.benchmarks.gains import cost, explain
from recfactory.benchmarks.search_row import WINNER, judged, scores_of, trained
from recfactory.benchmarks.winners import Winner, train_winner
from recfactory.codesign.design_file import read_design
from recfactory.codesign.precision import Bits, Crossbar, Precision, slots
from recfactory.files import read_json
from recfactory.models import registry
from recfactory.quantise.model import quantised
from recfactory.quantise.tune import calibration, fine_tune_trained
from recfactory.quiet import import_tensorflow_quietly
from recfactory.training.folder import MODEL
from recfactory.training.recipe import FRESH, Recipe
from recfactory.training.source import open_source
from recfactory.training.train import ignore_line

BITS = (8, 4)
EMBEDDING = 8
CLIPPED = (7, 6)
"""Bits of ADCs that hold less than a column's sum."""
NOISES = (0.02, 0.05)
"""Standard deviations of a cell's conductance, as shares of its largest one."""


def codesign_row(
    features: Path,
    folder: Path,
    winner: Winner,
    asked: Mapping[str, Any],
    minutes: float,
    least: Mapping[str, float],
) -> dict[str, Any]:
    """Searches model and machine within a budget of energy and latency, trains the best once more, measures.

    Args:
        features: a features folder.
        folder: to work in; what is in it is lost.
        winner: the architecture to compare with.
        asked: of the search, as of `SearchRecipe`.
        minutes: its budget of processor time.
        least: how many times less than the architecture on `handcrafted` it may cost, by score.

    Returns:
        What `judged` says of the best design on its crossbars, in `float` of its model before and in
        `searched` of the architecture; what `explain` says; `macs`, `cpu_minutes`, `trials`, the `file` of
        the design, and the `front`.
    """
    import_tensorflow_quietly()
    from recfactory.tuner.job import PARETO, search

    shutil.rmtree(folder, ignore_errors=True)
    source = open_source(features)
    base = cost(winner.path, None, hw.load("handcrafted"), source.layout)
    constraints = [f"{name}<={base[name] / factor}" for name, factor in least.items()]
    found = search(features, folder / "search", {**asked, "constraints": constraints}, minutes, ignore_line)
    cpu_minutes = time.process_time() / 60
    design = read_design(found["best"])
    assert design is not None
    recipe = Recipe.from_dict({**found["recipe"], "seed": winner.seed + FRESH})
    alone = trained(features, design.path, folder / WINNER, recipe)
    tuned = fine_tune_trained(folder / WINNER, design.precision, source, folder / "tuned", ignore_line)
    return {
        **judged(quantised(tuned, design.precision, calibration(source)), source),
        "float": scores_of(alone),
        "searched": scores_of(winner.row),
        "macs": alone["macs"],
        **explain(winner.path, design, source.layout),
        "cpu_minutes": cpu_minutes,
        "trials": found["trials"],
        "file": read_json(found["best"]),
        "front": [one["scores"] for one in read_json(folder / "search" / PARETO)],
    }


def bits_row(features: Path, folder: Path, winner: Winner) -> dict[str, Any]:
    """Trains an architecture, then trains it on with few bits and puts it on crossbars.

    Args:
        features: a features folder.
        folder: to work in; what is in it is lost.
        winner: the architecture.

    Returns:
        What `judged` says: `float`; for 8 and 4 bits `tuned`, on the crossbars of `handcrafted`, with ADCs
        that clip (`adc_7`) and with cells that vary (`noise_0.02`); and how it was `rounded`, before tuning.
    """
    shutil.rmtree(folder, ignore_errors=True)
    source, as_trained = train_winner(features, folder, winner)
    row: dict[str, Any] = {"float": scores_of(as_trained)}
    machine = hw.load("handcrafted")
    assert isinstance(machine, PIMConfig)
    model, inputs = registry.load(folder / WINNER / MODEL), calibration(source)
    lossless = Crossbar.of(machine)
    chips = {
        "crossbar": lossless,
        **{f"adc_{few}": replace(lossless, adc_bits=few) for few in CLIPPED},
        **{f"noise_{noise}": replace(lossless, noise=noise) for noise in NOISES},
    }
    for bits in BITS:
        precision = Precision(dict.fromkeys(slots(winner.path.space), Bits(bits, bits)), EMBEDDING)
        row[f"rounded_{bits}"] = judged(quantised(model, precision, inputs), source)
        tuned = fine_tune_trained(folder / WINNER, precision, source, folder / f"tuned_{bits}", ignore_line)
        row[f"tuned_{bits}"] = judged(tuned, source)
        for name, crossbar in chips.items():
            on_chip = quantised(tuned, replace(precision, crossbar=crossbar), inputs)
            row[f"{name}_{bits}"] = judged(on_chip, source)
    return row
