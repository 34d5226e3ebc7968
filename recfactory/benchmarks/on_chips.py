"""A model on chips of crossbars, whose cells vary."""

from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any

import numpy as np

from recfactory.benchmarks.search_row import judged
from recfactory.codesign.precision import Bits, Crossbar, Precision, slots
from recfactory.models.ranker import Ranker
from recfactory.quantise.model import quantised
from recfactory.quantise.tune import calibration
from recfactory.space.path import Path
from recfactory.training.source import Source

NOISES = (0.0, 0.02, 0.05)
"""Standard deviations of a cell's conductance, as shares of its largest one."""
USUAL_NOISE = 0.02
CHIPS = 3
"""Of each kind, with noise of their own; scores are their means."""
EMBEDDING = 8
"""Bits of embedding tables."""


def all_with(bits: int, path: Path) -> Precision:
    """The same bits for all operators."""
    return Precision(dict.fromkeys(slots(path.space), Bits(bits, bits)), EMBEDDING)


def on_chips(tuned: Ranker, precision: Precision, crossbar: Crossbar, source: Source) -> dict[str, Any]:
    """What `judged` says of a model on crossbars: means over chips, where they differ."""
    precision, inputs = replace(precision, crossbar=crossbar), calibration(source)
    chips = range(CHIPS if crossbar.noise else 1)
    return _means([judged(quantised(tuned, precision, inputs, chip), source) for chip in chips])


def _means(found: Sequence[Mapping[str, Mapping[str, float]]]) -> dict[str, Any]:
    return {
        split: {name: float(np.mean([each[split][name] for each in found])) for name in scores}
        for split, scores in found[0].items()
    }
