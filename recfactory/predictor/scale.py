"""Losses as numbers that a network learns well, and back."""

from typing import NamedTuple

import numpy as np

from recfactory.search.objectives import Floats


class Scale(NamedTuple):
    """Median and spread of losses; neither is moved by a few outliers.

    Args:
        middle: the median.
        spread: a robust standard deviation: the interquartile range over 1.349.
        clip: furthest from the median that a loss counts, in spreads.
    """

    middle: float
    spread: float
    clip: float

    def forth(self, losses: Floats) -> Floats:
        """Losses in spreads from the median, clipped."""
        return np.clip((losses - self.middle) / (self.spread or 1.0), -self.clip, self.clip)

    def back(self, scaled: Floats) -> Floats:
        """The losses that are so many spreads from the median."""
        return self.middle + self.spread * scaled


def scale_of(losses: Floats, clip: float) -> Scale:
    """The scale of some losses.

    Where half of them are equal, the standard deviation is the spread; it is 0 where all are.
    """
    low, middle, high = np.quantile(losses, (0.25, 0.5, 0.75))
    spread = (high - low) / 1.349 or losses.std()
    return Scale(float(middle), float(spread), clip)
