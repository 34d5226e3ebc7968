"""Matrix products on crossbars: how they are laid out, how long they take, what they cost.

A weight of w bits lies in S = ceil(w / cell bits) neighbouring cells, so a K x N matrix fills ceil(K /
rows) x ceil(N S / cols) crossbars; activations of a bits enter in T = ceil(a / DAC bits) cycles. A product
takes T N S ceil(K / rows) conversions (ISAAC, sections 5 and 6).
"""

from dataclasses import dataclass

import numpy as np

from hw import components as part
from hw.circuit import Circuit, Floats
from hw.operation import MATRIX
from hw.workload import Workload

PARTS = (
    "adc",
    "dac",
    "sample_hold",
    "crossbar",
    "shift_add",
    "input_register",
    "output_register",
    "edram",
    "bus",
    "router",
)
"""What a product's energy consists of."""


@dataclass(frozen=True, eq=False)
class Layout:
    """How products are laid out; arrays of `(n, operations)`, 0 where there is no product.

    Args:
        slices: cells per weight.
        row_blocks: crossbars that the inputs are spread over.
        col_blocks: crossbars that the outputs are spread over.
        copies: times the matrix is stored.
        cycles: of one application.
        arrays: crossbars in all.
        steps: applications one after the other.
        conversions: of all applications.
    """

    slices: Floats
    row_blocks: Floats
    col_blocks: Floats
    copies: Floats
    cycles: Floats
    arrays: Floats
    steps: Floats
    conversions: Floats


def bits(workload: Workload, circuit: Circuit) -> tuple[Floats, Floats]:
    """Bits of weights and of activations, with the configuration's where an operation does not say."""
    weights = np.where(workload.weight_bits > 0, workload.weight_bits, circuit.weight_bits)
    activations = np.where(workload.activation_bits > 0, workload.activation_bits, circuit.activation_bits)
    return weights, activations


def lay_out(workload: Workload, circuit: Circuit) -> Layout:
    """Lays all matrix products out on crossbars.

    Args:
        workload: of n networks or one.
        circuit: of n configurations or one.
    """
    weights, activations = bits(workload, circuit)
    product = (workload.kind == MATRIX) & (workload.rows > 0) & (workload.columns > 0) & (workload.uses > 0)
    slices = product * np.ceil(weights / circuit.cell_bits)
    row_blocks = np.ceil(product * workload.rows / circuit.rows)
    col_blocks = np.ceil(workload.columns * slices / circuit.cols)
    copies = product * np.minimum(circuit.copies, workload.uses)
    cycles = product * np.ceil(activations / circuit.dac_bits)
    return Layout(
        slices,
        row_blocks,
        col_blocks,
        copies,
        cycles,
        arrays=row_blocks * col_blocks * copies,
        steps=np.ceil(workload.uses / np.maximum(copies, 1)) * product,
        conversions=cycles * workload.columns * slices * row_blocks * workload.uses,
    )


def energy(workload: Workload, circuit: Circuit, layout: Layout) -> list[Floats]:
    """Energy of all matrix products if they run on crossbars, by `PARTS`.

    Rows that hold no weights are not driven, columns that hold none not converted, and idle crossbars take
    nothing (assumption: power gating). Values do not matter: ISAAC's powers are averages. Each input and
    output is written to eDRAM and read from it, and passes bus and router once, as the plug-in's figures
    were derived; crossbars that need the same inputs get them in one broadcast, and what the crossbars of a
    column add up is added on the way (assumptions).

    Args:
        workload: of n networks or one.
        circuit: of n configurations or one.
        layout: made by `lay_out`.

    Returns:
        Joule per example, each `(n, operations)`.
    """
    _, activations = bits(workload, circuit)
    drives = layout.cycles * workload.rows * layout.col_blocks * workload.uses
    cells = layout.cycles * workload.rows * workload.columns * layout.slices * workload.uses
    product = layout.copies > 0
    entering = workload.rows * layout.col_blocks * workload.uses * activations
    moved = product * (workload.rows + workload.columns) * workload.uses * activations
    register_j = part.INPUT_REGISTER.unit_power_w * part.READ_S
    return [
        layout.conversions * circuit.conversion_j,
        drives * circuit.dac_j,
        layout.conversions * (part.SAMPLE_HOLD.unit_power_w * part.READ_S),
        cells * circuit.cell_j,
        layout.conversions * part.SHIFT_ADD_ACTION.energy_j,
        entering * register_j,
        layout.conversions * (part.OUTPUT_REGISTER.unit_power_w * part.READ_S),
        2 * moved * part.EDRAM_BIT.energy_j,
        moved * part.BUS_BIT.energy_j,
        moved * part.ROUTER_BIT.energy_j,
    ]


def times(circuit: Circuit, layout: Layout) -> tuple[Floats, Floats]:
    """How long matrix products take on crossbars.

    Args:
        circuit: of n configurations or one.
        layout: made by `lay_out`.

    Returns:
        Seconds until the last output is there, with the stages of the pipeline before and after the
        crossbars (`PIPELINE_CYCLES`); seconds until the crossbars are free for the next example. Both
        `(n, operations)`. The eDRAM keeps up (ISAAC sizes it for a tile that is all busy, section 6).
    """
    busy = layout.cycles * layout.steps * circuit.cycle_s
    filling = np.where(layout.copies > 0, part.PIPELINE_CYCLES * circuit.cycle_s, 0.0)
    return busy + filling, busy
