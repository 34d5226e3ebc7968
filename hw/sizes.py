"""Sizes of operations: whole numbers, and none so large that a figure leaves its 64 bits."""

from typing import Any

import numpy as np
import numpy.typing as npt

from hw.errors import HardwareError

Integers = npt.NDArray[np.int64]
LONGEST = 10**9
"""Of rows, columns and uses: products of two fit with room to spare."""
LARGEST = 10**15
"""Of elements, stored numbers, and `rows x columns x uses`."""


def require_whole(what: str, operation: str, value: object, most: int) -> None:
    """Refuses a size of one operation.

    Args:
        what: the size's name.
        operation: its operation's name.
        value: the size.
        most: that it can be.

    Raises:
        HardwareError: unless it is a whole number from 0 to `most`.
    """
    whole = isinstance(value, int | np.integer) and not isinstance(value, bool)
    if not whole or not 0 <= value <= most:  # type: ignore[operator]
        raise HardwareError(
            f"workload: {what} of '{operation}' is {value!r}: write a whole number from 0 to {most}"
        )


def whole_numbers(what: str, array: npt.NDArray[Any], shape: tuple[int, int], most: int) -> Integers:
    """Sizes of many operations.

    Args:
        what: the name of the sizes.
        array: the sizes.
        shape: that it must have.
        most: that any can be.

    Raises:
        HardwareError: unless these are whole numbers of that shape from 0 to `most`.
    """
    if array.shape != shape:
        raise HardwareError(f"workload: {what} is of shape {array.shape}, kind of {shape}")
    if not np.issubdtype(array.dtype, np.integer):
        raise HardwareError(f"workload: {what} is of type {array.dtype}: give whole numbers")
    if array.min(initial=0) < 0:
        raise HardwareError(f"workload: {what} has {array.min()}: nothing can be below 0")
    if array.max(initial=0) > most:
        raise HardwareError(f"workload: {what} has {array.max()}: at most {most}")
    return array.astype(np.int64, copy=False)
