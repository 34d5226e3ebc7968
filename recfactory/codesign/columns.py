"""What the columns of a co-design's row mean."""

from typing import Any

import numpy as np
import numpy.typing as npt

from recfactory.codesign.hardware import Hardware
from recfactory.quantise.precision import slots
from recfactory.space import cost
from recfactory.space.genes import choices
from recfactory.space.space import Space

AnyRows = npt.NDArray[np.integer[Any]]
Flags = npt.NDArray[np.bool_]


class Columns:
    """A row's parts: the path's genes, then places in the hardware's lists.

    Args:
        space: of the paths.
        hardware: of the bits and machines.
    """

    def __init__(self, space: Space, hardware: Hardware) -> None:
        self.space = space
        self.slots = list(slots(space))
        """Operators that have bits of their own."""
        count, path = len(self.slots), choices(space)
        self.path = slice(0, len(path))
        self.weights = slice(self.path.stop, self.path.stop + count)
        """Weight bits of each slot."""
        self.activations = slice(self.weights.stop, self.weights.stop + count)
        """Activation bits of each slot."""
        self.table = self.activations.stop
        """Bits of the embedding table."""
        self.bits = slice(self.weights.start, self.table + 1)
        """All of these."""
        self.machine = slice(self.bits.stop, self.bits.stop + len(hardware.choices))
        """The choices of the machine."""
        self.counts = (
            *path,
            *[len(hardware.weight_bits)] * count,
            *[len(hardware.activation_bits)] * count,
            len(hardware.embedding_bits),
            *map(len, hardware.choices.values()),
        )
        """Symbols that each column can hold."""

    def live(self, rows: AnyRows) -> Flags:
        """Which slots have matrix products, `(n, slots)`."""
        live = np.zeros((len(rows), len(self.slots)), np.bool_)
        for part, at, made in cost.each_part(self.space, rows[:, self.path]):
            macs = sum((operation.macs for operation in made), np.zeros(len(at), np.int64))
            live[at, self.slots.index((part.number, part.role))] = macs > 0
        return live
