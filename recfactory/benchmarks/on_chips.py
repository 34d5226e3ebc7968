"""A model on chips of crossbars, whose cells vary."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace
from typing import Any

import numpy as np

from recfactory.benchmarks.search_row import judged
from recfactory.models.ranker import Ranker
from recfactory.quantise.model import quantised
from recfactory.quantise.precision import Crossbar, Precision
from recfactory.quantise.tune import calibration
from recfactory.training.source import Source

NOISES = (0.0, 0.02, 0.05)
"""Standard deviations of a cell's conductance, as shares of its largest one."""
USUAL_NOISE = 0.02
CHIPS = (1, 2, 3)
"""Of each kind, with noise of their own; scores are their means. Searches score on chip 0."""


def on_chips(tuned: Ranker, precision: Precision, crossbar: Crossbar, source: Source) -> dict[str, Any]:
    """What `judged` says of a model on crossbars: means over chips, where they differ."""
    return _means([judged(chip, source) for chip in chips_of(tuned, precision, crossbar, source)])


def chips_of(tuned: Ranker, precision: Precision, crossbar: Crossbar, source: Source) -> Iterator[Ranker]:
    """A model on each of `CHIPS`, or on one where they do not differ."""
    precision, inputs = replace(precision, crossbar=crossbar), calibration(source)
    for chip in CHIPS if crossbar.noise else CHIPS[:1]:
        yield quantised(tuned, precision, inputs, chip)


def _means(found: Sequence[Mapping[str, Mapping[str, float]]]) -> dict[str, Any]:
    return {
        split: {name: float(np.mean([each[split][name] for each in found])) for name in scores}
        for split, scores in found[0].items()
    }
