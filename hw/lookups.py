"""Embedding lookups in the memory that holds the tables.

A lookup reads whole bursts. The first row is there after an access, the others follow at the memory's
interval.
"""

from dataclasses import dataclass

import numpy as np

from hw.circuit import Floats
from hw.operation import LOOKUP
from hw.workload import Workload


@dataclass(frozen=True, eq=False)
class Cost:
    """What lookups cost; arrays of `(n, operations)`, 0 for all else.

    Args:
        energy_j: per example.
        latency_s: until the last row is there.
        busy_s: that the memory is taken.
        area_m2: of the tables, on the chip.
    """

    energy_j: Floats
    latency_s: Floats
    busy_s: Floats
    area_m2: Floats


def cost(
    workload: Workload,
    bits: Floats,
    *,
    bit_j: Floats | float,
    burst_bits: Floats | float,
    access_s: Floats | float,
    interval_s: Floats | float,
    bit_m2: Floats | float,
) -> Cost:
    """Costs of all lookups.

    Args:
        workload: of n networks or one.
        bits: of a stored number, `(n, operations)`.
        bit_j: see `Memory`, as all that follows; arrays that combine with `(n, operations)`.
        burst_bits: least read.
        access_s: of the first row.
        interval_s: between rows.
        bit_m2: area.
    """
    asked = (workload.kind == LOOKUP) & (workload.rows > 0)
    reads = asked * workload.rows * np.ceil(workload.columns * bits / burst_bits)
    return Cost(
        energy_j=reads * burst_bits * bit_j,
        latency_s=asked * (access_s + np.maximum(reads - 1, 0) * interval_s),
        busy_s=reads * interval_s,
        area_m2=(workload.kind == LOOKUP) * workload.stored * bits * bit_m2,
    )
