"""Which operators a machine computes on digital units alone, where crossbars lose nothing."""

from dataclasses import replace

import numpy as np
import numpy.typing as npt

import hw
from hw.config import PIMConfig
from recfactory.codesign.workload import bits_by_slot, paths_workload, places
from recfactory.features.layout import Layout
from recfactory.quantise.precision import Crossbar, Precision, Slot, slots
from recfactory.space.genes import encode
from recfactory.space.path import Path
from recfactory.space.space import Space


def digital_slots(space: Space, on_crossbars: npt.NDArray[np.bool_]) -> list[frozenset[Slot]]:
    """Operators of which nothing is on crossbars, by path.

    Args:
        space: of the paths.
        on_crossbars: which operations are, as of an estimate of `paths_workload`, `(n, operations)`.
    """
    order = list(slots(space))
    found = places(space).slot
    used = np.stack([on_crossbars[:, found == place].any(axis=1) for place in range(len(order))], axis=1)
    return [frozenset(slot for slot, flag in zip(order, row, strict=True) if not flag) for row in used]


def placed(path: Path, precision: Precision, machine: PIMConfig, layout: Layout, noise: float) -> Precision:
    """The precision of a path on the crossbars and digital units of a machine.

    Args:
        path: the architecture.
        precision: bits of its operators and of the table.
        machine: that runs it.
        layout: of the features.
        noise: of the machine's cells, see `Crossbar`.
    """
    bits = bits_by_slot(path.space, precision)
    estimate = hw.estimate(paths_workload(path.space, encode([path]), layout, **bits), machine)
    (digital,) = digital_slots(path.space, estimate.on_crossbars)
    return replace(precision, crossbar=Crossbar.of(machine, noise), digital=digital & precision.bits.keys())
