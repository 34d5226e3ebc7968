"""Estimates on machines that are no crossbars."""

import numpy as np

from hw import lookups
from hw.circuit import Floats
from hw.config import Roofline
from hw.memories import memory
from hw.operation import ABSENT, ATTENTION, MATRIX, PAIRS
from hw.result import Estimate, power
from hw.sizes import Integers
from hw.workload import Workload

STARTED = (MATRIX, PAIRS, ATTENTION)
"""Operations that are started for themselves; element-wise work is done along with those before it."""

COMPONENTS = ("arithmetic", "traffic", "memory")
"""What takes energy."""


def estimate_roofline(workload: Workload, machine: Roofline) -> Estimate:
    """Estimates of n workloads on a roofline (Williams et al., CACM 2009).

    An operation takes as long as its arithmetic at peak or its bytes at full bandwidth, whichever is
    longer; all operations share the machine, so their times add up, lookups first. A result computed on its
    own costs what a multiply-accumulate does (assumption). Every matrix is read, and every operation begun,
    once per batch, if there is anything to compute; the latency is that of a batch.

    Args:
        workload: operations; their bits are not looked at.
        machine: see `Roofline`.
    """
    n, operations = workload.kind.shape
    computed = workload.macs + workload.results
    kinds = np.where(computed > 0, workload.kind, ABSENT)
    once, each = _values(workload, kinds)
    moved = (once / machine.batch + each) * (machine.bits / 8)
    kind = memory(machine.memory)
    tables = lookups.cost(
        workload,
        np.full((1, operations), float(machine.bits)),
        bit_j=kind.energy_j_per_bit,
        burst_bits=kind.burst_bits,
        access_s=kind.access_s,
        interval_s=kind.interval_s,
        bit_m2=kind.area_m2_per_bit,
    )
    arithmetic_j, traffic_j = computed * machine.energy_per_mac_j, moved * machine.energy_per_byte_j
    by_operation = arithmetic_j + traffic_j + tables.energy_j
    starts_s = np.isin(kinds, STARTED) * machine.start_s
    worked_s = np.maximum(computed / machine.macs_per_s, moved / machine.bytes_per_s) * machine.batch
    looked_up_s = tables.latency_s + (machine.batch - 1) * tables.busy_s
    latencies = starts_s + worked_s + looked_up_s
    energy, latency = by_operation.sum(axis=1), latencies.sum(axis=1)
    area = np.full(n, np.nan if machine.area_m2 is None else machine.area_m2) + tables.area_m2.sum(axis=1)
    return Estimate(
        operations=workload.names,
        components=COMPONENTS,
        area_parts=("machine",),
        energy_j=energy,
        latency_s=latency,
        interval_s=latency / machine.batch,
        area_m2=area,
        power_w=power(energy, latency / machine.batch),
        utilisation=np.zeros(n),
        energy_by_operation=by_operation,
        energy_by_component=np.stack(
            [each.sum(axis=1) for each in (arithmetic_j, traffic_j, tables.energy_j)], axis=1
        ),
        latency_by_operation=latencies,
        area_by_part=area[:, None],
        arrays=np.zeros((n, operations)),
        on_crossbars=np.zeros((n, operations), bool),
    )


def _values(workload: Workload, kinds: Integers) -> tuple[Floats, Floats]:
    """Numbers that operations of some kinds read for all examples together, and move for each."""
    rows, columns, uses = workload.rows, workload.columns, workload.uses
    weights = np.where(kinds == MATRIX, rows * columns, 0)
    each = np.select(
        [kinds == MATRIX, kinds == PAIRS, kinds == ATTENTION],
        [(rows + columns) * uses, workload.pair_values, 4 * rows * uses],
        0,
    )
    return weights.astype(float), each.astype(float)
