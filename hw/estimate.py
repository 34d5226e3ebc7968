"""Energy, latency, area and power of workloads on machines."""

from collections.abc import Sequence

from hw.circuit import Circuit, resolve
from hw.config import PIMConfig, Roofline
from hw.errors import HardwareError
from hw.on_pim import estimate_pim
from hw.on_roofline import estimate_roofline
from hw.result import Estimate, joined
from hw.workload import Workload

CHUNK = 2048
"""Rows reckoned at a time, so that the arrays stay in cache."""


def estimate(workload: Workload, machine: PIMConfig | Roofline | Sequence[PIMConfig] | Circuit) -> Estimate:
    """Estimates n workloads on a machine, one workload on n configurations, or n on n, row by row.

    Args:
        workload: of one network or of many.
        machine: one machine; or one configuration per row, as such or resolved (`hw.circuit.resolve`).

    Returns:
        Arrays over the rows, with a breakdown by operation and by component.

    Raises:
        HardwareError: as `resolve`, and when there are neither as many workloads as configurations nor one
            of either.
    """
    if isinstance(machine, Roofline):
        return joined([estimate_roofline(workload.take(rows), machine) for rows in _chunks(len(workload))])
    if isinstance(machine, PIMConfig):
        machine = [machine]
    circuit = machine if isinstance(machine, Circuit) else resolve(machine)
    sizes = {len(workload), len(circuit)} - {1}
    if len(sizes) > 1:
        raise HardwareError(
            f"there are {len(workload)} workloads and {len(circuit)} configurations: "
            "give as many of one as of the other, or a single one"
        )
    rows = sizes.pop() if sizes else 1
    return joined([estimate_pim(workload.take(some), circuit.take(some)) for some in _chunks(rows)])


def _chunks(rows: int) -> list[slice]:
    return [slice(first, first + CHUNK) for first in range(0, max(rows, 1), CHUNK)]
