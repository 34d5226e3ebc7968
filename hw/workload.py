"""What one example asks of a machine: operations, and which waits for which.

A workload is a structure of arrays of shape `(n, operations)`: n = 1 for one network, or one row per
network of many that share a list of operations, where a network lacks some (`ABSENT`).
"""

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from hw.config import MOST_BITS
from hw.errors import HardwareError
from hw.operation import ATTENTION, ELEMENTWISE, LOOKUP, PAIRS, Operation
from hw.sizes import LARGEST, LONGEST, Integers, require_whole, whole_numbers

Flags = npt.NDArray[np.bool_]


@dataclass(frozen=True, eq=False)
class Workload:
    """The operations of one network or of many; see `Operation` for what the sizes mean.

    Args:
        names: of the operations, each once, in an order in which each comes after those it waits for.
        kind: whole numbers, `(n, operations)`, as all arrays but the last.
        rows: see `Operation`.
        columns: see `Operation`.
        uses: see `Operation`.
        elements: see `Operation`.
        stored: see `Operation`.
        weight_bits: 0 for the machine's.
        activation_bits: 0 for the machine's.
        waits: `(n or 1, operations, operations)`: whether the operation of the second axis waits for that of
            the third. An absent operation takes no time and passes on what it waits for.

    Raises:
        HardwareError: for arrays that do not fit together, sizes below 0 or beyond what can be reckoned with,
            a name given twice or a wrong order.
    """

    names: tuple[str, ...]
    kind: Integers
    rows: Integers
    columns: Integers
    uses: Integers
    elements: Integers
    stored: Integers
    weight_bits: Integers
    activation_bits: Integers
    waits: Flags

    def __post_init__(self) -> None:
        shape = (len(self), len(self.names))
        for name, most in _MOST.items():
            object.__setattr__(self, name, whole_numbers(name, getattr(self, name), shape, most))
        sides = self.rows.astype(float) * self.columns * self.uses
        if sides.max(initial=0) > LARGEST:
            raise HardwareError(f"workload: rows x columns x uses is {sides.max():g}: at most {LARGEST:g}")
        twice = [name for name, count in Counter(self.names).items() if count > 1]
        if twice:
            raise HardwareError(f"workload: two operations are called '{twice[0]}': rename one")
        if ((self.kind == PAIRS) & (self.rows != self.columns)).any():
            raise HardwareError(
                "workload: pairs are of vectors with each other: give as many rows as columns"
            )
        if self.waits.shape not in {(1, shape[1], shape[1]), (*shape, shape[1])}:
            raise HardwareError(f"workload: waits is of shape {self.waits.shape} for {shape[1]} operations")
        if np.triu(self.waits.any(axis=0)).any():
            raise HardwareError(
                "workload: an operation waits for a later one: put it behind all it waits for"
            )

    def __len__(self) -> int:
        return int(self.kind.shape[0])

    @classmethod
    def of(cls, operations: Sequence[Operation]) -> "Workload":
        """The workload of one network.

        Args:
            operations: each behind all that it waits for.

        Raises:
            HardwareError: for a name given twice, one that is not there before it is waited for, or a size
                that is no whole number.
        """
        names = tuple(operation.name for operation in operations)
        waits = np.zeros((1, len(names), len(names)), bool)
        for place, operation in enumerate(operations):
            for other in operation.after:
                if other not in names[:place]:
                    raise HardwareError(
                        f"workload: '{operation.name}' waits for '{other}', which is not before it: "
                        "write it earlier in the list"
                    )
                waits[0, place, names.index(other)] = True
        arrays = {
            name: np.array([[_size(operation, name) for operation in operations]], np.int64)
            for name in _ARRAYS
        }
        return cls(names, waits=waits, **arrays)

    @property
    def macs(self) -> Integers:
        """Multiply-accumulates of the products of each operation, `(n, operations)`."""
        products = self.rows * self.columns * self.uses
        return np.asarray(products * _PRODUCTS[self.kind])

    @property
    def pair_values(self) -> Integers:
        """Numbers that pair products read and leave, `(n, operations)`."""
        values = self.rows * self.uses + self.rows * (self.rows - 1) // 2
        return np.asarray(values * (self.uses > 0))

    @property
    def results(self) -> Integers:
        """Results computed one by one, `(n, operations)`."""
        return np.asarray(self.elements * ((self.kind == ATTENTION) | (self.kind == ELEMENTWISE)))

    def take(self, rows: slice) -> "Workload":
        """Some of the networks; a workload of one network stays whole."""
        if len(self) == 1:
            return self
        waits = self.waits if len(self.waits) == 1 else self.waits[rows]
        return Workload(self.names, waits=waits, **{name: getattr(self, name)[rows] for name in _ARRAYS})


_PRODUCTS = np.array([0, 1, 1, 2, 0, 0])
"""Of `rows x columns x uses` multiply-accumulates, by kind: attention has scores and weighted sums."""
_BITS = ("weight_bits", "activation_bits")
_MOST = {
    "kind": LOOKUP,
    **dict.fromkeys(("rows", "columns", "uses"), LONGEST),
    **dict.fromkeys(("elements", "stored"), LARGEST),
    **dict.fromkeys(_BITS, MOST_BITS),
}
_ARRAYS = tuple(_MOST)


def _size(operation: Operation, name: str) -> int:
    value = getattr(operation, name)
    if value is None and name in _BITS:
        return 0
    require_whole(name, operation.name, value, _MOST[name])
    return int(value)
