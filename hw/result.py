"""What an estimate says."""

from dataclasses import dataclass, fields, replace
from typing import Any

import numpy as np
import numpy.typing as npt

Floats = npt.NDArray[np.float64]


@dataclass(frozen=True, eq=False)
class Estimate:
    """Estimates of n workloads on machines.

    Args:
        operations: names of the operations, the order of the second axes. components: names of what takes
        energy. area_parts: names of what takes area. energy_j: of an example, `(n,)`. latency_s: from an
        example's arrival to its result, `(n,)`. interval_s: from one example to the next while the pipeline
        is full, `(n,)`. area_m2: of the silicon that the workload needs, `(n,)`; NaN where a machine's is
        not known. power_w: while the pipeline is full, `(n,)`. utilisation: crossbars needed, as a share of
        those there are, `(n,)`; above 1 the workload does not fit.
            0 on machines without crossbars.
        energy_by_operation: `(n, operations)`, joule.
        energy_by_component: `(n, components)`, joule.
        latency_by_operation: `(n, operations)`, seconds.
        area_by_part: `(n, area_parts)`, square metres.
        arrays: crossbars of each operation, `(n, operations)`.
        on_crossbars: whether an operation runs on crossbars, `(n, operations)`.
    """

    operations: tuple[str, ...]
    components: tuple[str, ...]
    area_parts: tuple[str, ...]
    energy_j: Floats
    latency_s: Floats
    interval_s: Floats
    area_m2: Floats
    power_w: Floats
    utilisation: Floats
    energy_by_operation: Floats
    energy_by_component: Floats
    latency_by_operation: Floats
    area_by_part: Floats
    arrays: Floats
    on_crossbars: npt.NDArray[np.bool_]

    def __len__(self) -> int:
        return len(self.energy_j)

    @property
    def examples_per_second(self) -> Floats:
        """While the pipeline is full, `(n,)`."""
        with np.errstate(divide="ignore"):
            return np.asarray(1 / self.interval_s)


def joined(parts: list[Estimate]) -> Estimate:
    """Estimates of the same operations, one after the other."""
    names = [field.name for field in fields(Estimate) if field.name not in _NAMES]
    columns: dict[str, Any] = {
        name: np.concatenate([getattr(part, name) for part in parts]) for name in names
    }
    return replace(parts[0], **columns)


def power(energy_j: Floats, interval_s: Floats) -> Floats:
    """Watt; 0 where nothing is done."""
    return np.divide(energy_j, interval_s, out=np.zeros_like(energy_j), where=interval_s > 0)


_NAMES = {"operations", "components", "area_parts"}
