"""Estimates on chips of crossbars."""

import numpy as np

from hw import components as part
from hw import crossbar, digital, lookups
from hw.area import TILE_PARTS
from hw.circuit import Circuit, Floats
from hw.operation import MATRIX
from hw.result import Estimate, power
from hw.schedule import Shared, last_end
from hw.workload import Workload

COMPONENTS = (*crossbar.PARTS, "digital", "memory")
"""What takes energy."""
AREA_PARTS = (*TILE_PARTS, "memory")
"""What takes area."""


def estimate_pim(workload: Workload, circuit: Circuit) -> Estimate:
    """Estimates of n workloads, or one, on n configurations, or one.

    Matrix products run on crossbars of their own, or where `placement` puts them; pair products, attention
    cores and element-wise work on digital units; lookups in memory. An operation starts when those that it
    waits for have ended, and when what it runs on is free: a matrix has crossbars of its own, but each tile
    has one digital unit, and all lookups share one memory. In a full pipeline every operation works on
    another example, so that the slowest stage sets the pace; the digital units share their work evenly then.

    The area is that of the tiles needed for the matrices, never less than one, with their share of all that
    a tile has; the eDRAM for matrices on the digital unit; and the tables, if they lie on the chip.

    Args:
        workload: operations.
        circuit: resolved configurations.
    """
    n = len(circuit) if len(workload) == 1 else len(workload)
    shape = (n, len(workload.names))
    layout = crossbar.lay_out(workload, circuit)
    analogue, arithmetic = crossbar.energy(workload, circuit, layout), digital.energy(workload, circuit)
    is_matrix = np.broadcast_to(workload.kind == MATRIX, shape)
    dearer = _added(analogue) > _added(arithmetic)
    on_crossbars = is_matrix & ~((circuit.cheaper > 0) & dearer)

    weights, _ = crossbar.bits(workload, circuit)
    tables = lookups.cost(
        workload,
        weights,
        bit_j=circuit.memory_bit_j,
        burst_bits=circuit.memory_burst_bits,
        access_s=circuit.memory_access_s,
        interval_s=circuit.memory_interval_s,
        bit_m2=circuit.memory_bit_m2,
    )
    by_component, by_operation = _energies(analogue, arithmetic, tables.energy_j, on_crossbars)

    crossbar_s, crossbar_busy_s = crossbar.times(circuit, layout)
    digital_s, digital_busy_s = digital.times(workload, circuit)
    digital_busy_s = np.where(on_crossbars, 0.0, digital_busy_s)
    latencies = np.where(on_crossbars, crossbar_s, digital_s) + tables.latency_s

    arrays = np.where(on_crossbars, layout.arrays, 0.0)
    needed = arrays.sum(axis=1)
    tiles = np.maximum(np.ceil(needed / circuit.tile_crossbars[:, 0]), 1)
    kept = np.where(on_crossbars, 0.0, digital.weight_bits_kept(workload, circuit)).sum(axis=1)
    by_part = np.empty((n, len(AREA_PARTS)))
    by_part[:, :-1] = tiles[:, None] * circuit.tile_m2
    by_part[:, TILE_PARTS.index("edram")] += kept * (part.EDRAM.area_m2 / (8 * part.EDRAM_BYTES))
    by_part[:, -1] = tables.area_m2.sum(axis=1)

    memory_busy_s = np.broadcast_to(tables.busy_s, shape)
    shared = (Shared(digital_busy_s, tiles), Shared(memory_busy_s, np.ones(n)))
    stages = [
        np.where(on_crossbars, crossbar_busy_s, digital_busy_s).max(axis=1, initial=0.0),
        *(each.busy.sum(axis=1) / each.units for each in shared),
    ]
    interval = np.maximum.reduce(stages)
    energy = by_operation.sum(axis=1)
    return Estimate(
        operations=workload.names,
        components=COMPONENTS,
        area_parts=AREA_PARTS,
        energy_j=energy,
        latency_s=last_end(latencies, workload.waits, shared),
        interval_s=interval,
        area_m2=by_part.sum(axis=1),
        power_w=power(energy, interval),
        utilisation=needed / circuit.crossbars[:, 0],
        energy_by_operation=by_operation,
        energy_by_component=by_component,
        latency_by_operation=latencies,
        area_by_part=by_part,
        arrays=arrays,
        on_crossbars=on_crossbars,
    )


def _energies(
    analogue: list[Floats], arithmetic: list[Floats], tables: Floats, on_crossbars: np.ndarray
) -> tuple[Floats, Floats]:
    """Energy by component and by operation, each operation where it was placed."""
    n, operations = on_crossbars.shape
    by_component, by_operation = np.zeros((n, len(COMPONENTS))), np.zeros((n, operations))
    placed = [(crossbar.PARTS, analogue, on_crossbars), (digital.PARTS, arithmetic, ~on_crossbars)]
    placed.append((("memory",), [tables], np.ones_like(on_crossbars)))
    for names, energies, here in placed:
        for name, energy in zip(names, energies, strict=True):
            spent = energy * here
            by_component[:, COMPONENTS.index(name)] += spent.sum(axis=1)
            by_operation += spent
    return by_component, by_operation


def _added(energies: list[Floats]) -> Floats:
    return np.asarray(np.add.reduce(energies))
