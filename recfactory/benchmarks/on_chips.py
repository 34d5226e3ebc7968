"""A model on chips of crossbars, whose cells vary."""

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

import numpy as np

from recfactory.benchmarks.search_row import judged, last_split
from recfactory.models.ranker import Ranker
from recfactory.quantise.model import quantised
from recfactory.quantise.precision import Precision
from recfactory.quantise.tune import calibration
from recfactory.training.source import Source

NOISES = (0.0, 0.02, 0.05)
"""Standard deviations of a cell's conductance, as shares of its largest one."""
USUAL_NOISE = 0.02
CHIPS = (1, 2, 3)
"""Of each kind, with noise of their own; scores are their means. Searches score on chip 0."""


def on_chips(tuned: Ranker, precision: Precision, source: Source) -> dict[str, Any]:
    """What `judged` says of a model on the crossbars of a precision, on the last split, since they take long.

    Args:
        tuned: the model.
        precision: of its operators, with the crossbars.
        source: of the rows.

    Returns:
        Means over chips, where they differ.
    """
    splits = [last_split(source.rows)]
    return _means([judged(chip, source, splits=splits) for chip in chips_of(tuned, precision, source)])


def chips_of(tuned: Ranker, precision: Precision, source: Source) -> Iterator[Ranker]:
    """A model on each of `CHIPS`, or on one where they do not differ."""
    inputs, crossbar = calibration(source), precision.crossbar
    for chip in CHIPS if crossbar and crossbar.noise else CHIPS[:1]:
        yield quantised(tuned, precision, inputs, chip)


def _means(found: Sequence[Mapping[str, Mapping[str, float]]]) -> dict[str, Any]:
    return {
        split: {name: float(np.mean([each[split][name] for each in found])) for name in scores}
        for split, scores in found[0].items()
    }
