"""PIM and baseline hardware estimators. This package imports none of the others.

A `Workload` says what one example asks for, a `PIMConfig` or a `Roofline` what machine there is, `estimate`
what it takes: joule, seconds, square metres, watt. Constants stand in `components`, `adc`, `memories` and
`arithmetic`, each beside its source; what is assumed is called an assumption where it is made.
"""

from hw.config import PIMConfig, Roofline
from hw.errors import HardwareError
from hw.estimate import estimate
from hw.machine_file import PRESETS, from_dict, from_yaml, load, to_yaml
from hw.operation import Operation, attention, elementwise, lookup, matrix, pairs
from hw.result import Estimate
from hw.workload import Workload

__all__ = [
    "PRESETS",
    "Estimate",
    "HardwareError",
    "Operation",
    "PIMConfig",
    "Roofline",
    "Workload",
    "attention",
    "elementwise",
    "estimate",
    "from_dict",
    "from_yaml",
    "load",
    "lookup",
    "matrix",
    "pairs",
    "to_yaml",
]
