"""The grids of values that activations of few bits can have.

One step per tensor: from 0 where no number is negative, two's complement otherwise, with the ends of the
least squared error on some rows (Nagel et al. 2021, arXiv 2106.08295, section 3.1). One bit of both signs is
the sign (Rastegari et al. 2016, XNOR-Net, arXiv 1603.05279).
"""

from typing import Any

import numpy as np
import numpy.typing as npt

Floats = npt.NDArray[np.floating[Any]]
SHARES = np.arange(1, 21) / 20
"""Of the largest magnitude, tried as the end of a grid."""
SAMPLE = 8192
"""Numbers at most that the ends are chosen by; the largest magnitude is that of all."""


def best_range(values: Floats, bits: int) -> tuple[float, float]:
    """The ends of the grid that numbers are rounded to at the least squared error.

    Args:
        values: of any shape, at least one number.
        bits: from 1.

    Returns:
        The lowest and the highest of the grid's `2**bits` values; zero is one of them, unless they are two of
        both signs.
    """
    flat = values.reshape(-1)
    most = float(np.abs(flat).max())
    if most == 0.0:
        return 0.0, 1.0
    low, high = ends(bits, signed=bool(flat.min() < 0))
    # At random: numbers at equal distances may all be of the same column.
    drawn = np.random.default_rng(0).integers(0, len(flat), SAMPLE)
    sample = flat[drawn] if len(flat) > SAMPLE else flat
    steps = most * SHARES / high
    errors = [np.square(rounded(sample, low * s, high * s, bits) - sample).sum() for s in steps]
    step = float(steps[int(np.argmin(errors))])
    return low * step, high * step


def rounded(values: Floats, low: float, high: float, bits: int) -> Floats:
    """The nearest values on the grid from `low` to `high`."""
    step = (high - low) / (2**bits - 1)
    nearest: Floats = low + step * np.floor((np.clip(values, low, high) - low) / step + 0.5)
    return nearest


def ends(bits: int, signed: bool) -> tuple[int, int]:
    """The ends of a grid, in steps: of two's complement if signed; of one signed bit -1 and 1."""
    if not signed:
        return 0, 2**bits - 1
    return (-1, 1) if bits == 1 else (-(2 ** (bits - 1)), 2 ** (bits - 1) - 1)
