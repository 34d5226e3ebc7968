"""What few bits, clipping ADCs and varying cells cost an architecture."""

from dataclasses import replace
from pathlib import Path
from typing import Any

from recfactory.benchmarks.few_bits import all_with
from recfactory.benchmarks.gains import four_bits, handcrafted
from recfactory.benchmarks.on_chips import NOISES, USUAL_NOISE, on_chips
from recfactory.benchmarks.search_row import WINNER, judged, scores_of
from recfactory.benchmarks.winners import Winner, train_winner
from recfactory.models import registry
from recfactory.quantise.model import quantised
from recfactory.quantise.precision import Crossbar, Precision
from recfactory.quantise.tune import calibration, fine_tune_trained
from recfactory.training.folder import MODEL
from recfactory.training.train import ignore_line

BITS = (8, 4)
CLIPPED = (7, 6)
"""Bits of ADCs that hold less than a column's sum."""


def bits_row(features: Path, folder: Path, winner: Winner) -> dict[str, Any]:
    """Trains an architecture, then trains it on with few bits and puts it on crossbars.

    Args:
        features: a features folder.
        folder: to work in, or to go on in.
        winner: the architecture.

    Returns:
        What `judged` says: `float`, and `float_tuned` trained on as much as the others; for 8 and 4 bits
        `tuned`, on the `crossbar` of `handcrafted`, with ADCs that clip (`adc_7`), with cells that vary
        (`noise_0.02`) and with both; and how it was `rounded`, before tuning. Beside that, the gains
        of `four_bits`.
    """
    source, as_trained = train_winner(features, folder, winner)
    as_tuned = fine_tune_trained(folder / WINNER, Precision({}), source, folder / "tuned", ignore_line)
    row: dict[str, Any] = {
        "float": scores_of(as_trained),
        "float_tuned": judged(as_tuned, source),
        "four_bits": four_bits(winner.path, source.layout),
    }
    model, inputs = registry.load(folder / WINNER / MODEL), calibration(source)
    lossless = Crossbar.of(handcrafted())
    chips = {
        "crossbar": lossless,
        **{f"adc_{few}": replace(lossless, adc_bits=few) for few in CLIPPED},
        **{f"noise_{noise}": replace(lossless, noise=noise) for noise in NOISES if noise},
        **{
            f"adc_{few}_noise_{USUAL_NOISE}": replace(lossless, adc_bits=few, noise=USUAL_NOISE)
            for few in CLIPPED
        },
    }
    for bits in BITS:
        precision = all_with(bits, winner.path)
        row[f"rounded_{bits}"] = judged(quantised(model, precision, inputs), source)
        tuned = fine_tune_trained(folder / WINNER, precision, source, folder / f"tuned_{bits}", ignore_line)
        row[f"tuned_{bits}"] = judged(tuned, source)
        for name, crossbar in chips.items():
            row[f"{name}_{bits}"] = on_chips(tuned, replace(precision, crossbar=crossbar), source)
    return row
