"""What the digital unit of a tile does: products of activations, element-wise work, some matrix products.

A unit has `lanes` multiply-adds per cycle of 1.2 GHz beside the tile's eDRAM. As on crossbars, each input
and output is written to eDRAM and read from it, and passes bus and router once, and what is multiplied is
read from an input register, at the price of an IMA's. A matrix's weights are read from eDRAM once per
example, however often it is applied. Element-wise work is done in the stream of results and moves nothing.
Products of activations with each other take the width of the datapath, whatever bits their operator has:
nothing rounds their factors.

Lanes form an array, as in a systolic unit: what is read from the register reaches a row of it, or a column.
A matrix that is applied several times is applied at once to as many inputs as the array's side, so that both
operands are shared; one that is applied once has its inputs shared alone. The register keeps up with the
lanes (assumptions).
"""

import numpy as np

from hw import components as part
from hw.arithmetic import multiply_add_energy
from hw.circuit import Circuit, Floats
from hw.crossbar import bits
from hw.operation import ATTENTION, MATRIX, PAIRS
from hw.sizes import Integers
from hw.workload import Workload

PARTS = ("digital", "input_register", "edram", "bus", "router")
"""What an operation's energy consists of."""
DATAPATH_BITS = 16
"""Of element-wise arithmetic and of products of activations: the width of ISAAC's datapath."""
_PORT_BITS = 256
_STAGES = 2
"""Of ISAAC's pipeline that an operation on a digital unit passes too: eDRAM read and eDRAM write."""


def weight_bits_kept(workload: Workload, circuit: Circuit) -> Floats:
    """Bits of eDRAM that matrices take if the digital unit multiplies them, `(n, operations)`."""
    weights, _ = bits(workload, circuit)
    return np.where(workload.kind == MATRIX, workload.rows * workload.columns * weights, 0.0)


def moved_bits(workload: Workload, circuit: Circuit) -> Floats:
    """Bits of an operation's inputs and outputs, `(n, operations)`."""
    rows, columns, uses = workload.rows, workload.columns, workload.uses
    values = np.select(
        [workload.kind == MATRIX, workload.kind == PAIRS, workload.kind == ATTENTION],
        [(rows + columns) * uses, workload.pair_values, 4 * rows * uses],
        0,
    )
    _, activations = _factor_bits(workload, circuit)
    return np.asarray(values * activations)


def register_bits(workload: Workload, circuit: Circuit) -> Floats:
    """Bits that an operation reads from the input register, `(n, operations)`."""
    left, right = _factor_bits(workload, circuit)
    applied = np.where(workload.kind == MATRIX, workload.uses, workload.rows)
    sharing_left = np.clip(applied, 1, np.floor(np.sqrt(circuit.lanes)))

    def read(outputs: Floats | Integers) -> Floats:
        sharing_right = np.clip(outputs, 1, circuit.lanes // sharing_left)
        return np.asarray(left / sharing_left + right / sharing_right)

    # Of attention's products the second has a head's part of the width as outputs.
    squares = np.maximum(workload.rows * workload.columns, 1)
    of_head = workload.uses * squares / np.maximum(workload.elements, 1)
    each = np.where(workload.kind == ATTENTION, workload.macs / 2, workload.macs)
    second = np.where(workload.kind == ATTENTION, each, 0.0)
    return np.asarray(each * read(workload.columns) + second * read(of_head))


def _factor_bits(workload: Workload, circuit: Circuit) -> tuple[Floats, Floats]:
    """Bits of both factors of each product; of a matrix those of its weights come first."""
    matrix = workload.kind == MATRIX
    weights, activations = bits(workload, circuit)
    return np.where(matrix, weights, DATAPATH_BITS), np.where(matrix, activations, DATAPATH_BITS)


def energy(workload: Workload, circuit: Circuit) -> list[Floats]:
    """Energy of each operation on the digital unit, by `PARTS`.

    Args:
        workload: of n networks or one.
        circuit: of n configurations or one.

    Returns:
        Joule per example, each `(n, operations)`; 0 for lookups.
    """
    left, right = _factor_bits(workload, circuit)
    moved, kept = moved_bits(workload, circuit), weight_bits_kept(workload, circuit)
    arithmetic = workload.macs * multiply_add_energy(left, right)
    arithmetic = arithmetic + workload.results * multiply_add_energy(DATAPATH_BITS, DATAPATH_BITS)
    return [
        arithmetic,
        register_bits(workload, circuit) * (part.INPUT_REGISTER.unit_power_w * part.READ_S),
        (2 * moved + kept) * part.EDRAM_BIT.energy_j,
        (moved + kept) * part.BUS_BIT.energy_j,
        moved * part.ROUTER_BIT.energy_j,
    ]


def times(workload: Workload, circuit: Circuit) -> tuple[Floats, Floats]:
    """How long each operation takes on a digital unit: its lanes or the eDRAM's port, whichever is slower.

    Args:
        workload: of n networks or one.
        circuit: of n configurations or one.

    Returns:
        Seconds until the last output is there, with the stages in which inputs come and results go, where any
        do; seconds until the unit is free. Both `(n, operations)`.
    """
    computing = np.ceil((workload.macs + workload.results) / circuit.lanes)
    moved = moved_bits(workload, circuit)
    through_port = 2 * moved + weight_bits_kept(workload, circuit)
    busy = np.maximum(computing, np.ceil(through_port / _PORT_BITS)) / part.CLOCK_HZ
    return busy + np.where(moved > 0, _STAGES * part.READ_S, 0.0), busy
