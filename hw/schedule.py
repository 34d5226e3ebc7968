"""The longest way through the wiring."""

import numpy as np

from hw.circuit import Floats
from hw.workload import Flags


def longest(times: Floats, waits: Flags) -> Floats:
    """When the last operation has ended, if each starts as soon as those that it waits for have ended.

    Latencies add up along a way; branches run beside each other, and the longest counts.

    Args:
        times: seconds of each operation, `(n, operations)`.
        waits: `(n or 1, operations, operations)`, see `Workload`.

    Returns:
        Seconds, `(n,)`.
    """
    ends = np.zeros_like(times)
    for place in range(times.shape[1]):
        before = np.where(waits[:, place, :place], ends[:, :place], 0.0).max(axis=1, initial=0.0)
        ends[:, place] = before + times[:, place]
    return np.asarray(ends.max(axis=1, initial=0.0))
