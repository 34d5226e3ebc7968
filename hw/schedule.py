"""When operations can run that wait for each other, and for units that they share."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from hw.circuit import Floats
from hw.workload import Flags


@dataclass(frozen=True, eq=False)
class Shared:
    """Units of a kind; each does one operation at a time.

    Args:
        busy: seconds that an operation takes one of them, `(n, operations)`; 0 for those that need none.
        units: how many there are, `(n,)`.
    """

    busy: Floats
    units: Floats


def last_end(times: Floats, waits: Flags, shared: Sequence[Shared]) -> Floats:
    """When the last operation has ended in a list schedule.

    What waits for nothing more is begun in the order in which it could, on the unit that is free first
    (Graham, "Bounds on multiprocessing timing anomalies", 1969). Without sharing that is the longest way
    through the wiring.

    Args:
        times: seconds from the start of each operation to its last output, `(n, operations)`.
        waits: `(n or 1, operations, operations)`, see `Workload`.
        shared: kinds of units; no operation needs two of them.

    Returns:
        Seconds, `(n,)`.
    """
    n, operations = times.shape
    rows = np.arange(n)
    waits = np.broadcast_to(waits, (n, operations, operations))
    waiting = waits.sum(axis=2, dtype=np.int16)
    ready, ends = np.zeros((n, operations)), np.zeros(n)
    free = [_free(each, operations) for each in shared]
    for _ in range(operations):
        chosen = np.where(waiting == 0, ready, np.inf).argmin(axis=1)
        start = ready[rows, chosen]
        for kind, free_at in zip(shared, free, strict=True):
            taken, unit = kind.busy[rows, chosen], free_at.argmin(axis=1)
            start = np.where(taken > 0, np.maximum(start, free_at[rows, unit]), start)
            free_at[rows, unit] = np.where(taken > 0, start + taken, free_at[rows, unit])
        end = start + times[rows, chosen]
        ends = np.maximum(ends, end)
        after = waits[rows, :, chosen]
        np.maximum(ready, end[:, None], out=ready, where=after)
        waiting -= after
        waiting[rows, chosen] = -1
    return ends


def _free(shared: Shared, operations: int) -> Floats:
    """When each unit is free; more of them than operations do not count."""
    most = int(np.clip(shared.units.max(initial=1), 1, max(operations, 1)))
    return np.where(np.arange(most) < shared.units[:, None], 0.0, np.inf)
