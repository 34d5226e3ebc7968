"""How much less energy and latency a co-design takes than an architecture on a fixed machine, and why."""

from collections.abc import Mapping
from dataclasses import replace
from typing import Any

import hw
from hw.adc import LAWS
from hw.config import Machine, PIMConfig
from recfactory.codesign.designs import Design
from recfactory.codesign.precision import Bits, Precision, slots
from recfactory.codesign.workload import path_workload
from recfactory.features.layout import Layout
from recfactory.space.path import Path

BASELINES = ("handcrafted", "recnmp")
PARTS = ("architecture", "bits", "hardware")
"""What a co-design chooses."""
Cost = Mapping[str, float]


def cost(path: Path, precision: Precision | None, machine: Machine, layout: Layout) -> dict[str, float]:
    """What an example costs: `energy_j`, `latency_s`, and `interval_s` between examples of a full pipeline.

    Args:
        path: the architecture.
        precision: of its operators; None for the machine's own bits, 8 on `handcrafted`.
        machine: that runs it.
        layout: of the features.
    """
    estimate = hw.estimate(path_workload(path, layout, precision), machine)
    return {
        "energy_j": float(estimate.energy_j[0]),
        "latency_s": float(estimate.latency_s[0]),
        "interval_s": 1 / float(estimate.examples_per_second[0]),
    }


def gains(before: Cost, after: Cost) -> dict[str, float]:
    """How many times less each cost is."""
    return {name: before[name] / after[name] for name in before}


def explain(base: Path, design: Design, layout: Layout) -> dict[str, Any]:
    """Gains of a co-design over an architecture.

    Args:
        base: the architecture that it is compared with.
        design: the co-design, on a machine of crossbars.
        layout: of the features.

    Returns:
        `base` and `design`, what they cost; `against`, the gains over each of `BASELINES`; `steps`, the gain
        over `handcrafted` as the product of what the architecture, then the bits, then the hardware add;
        `fixed`, the gain that is left with one of them as in the base; `laws`, the gain by ADC law.
    """
    handcrafted, few_bits = hw.load("handcrafted"), _for(base, design.precision)

    def mixed(architecture: bool, bits: bool, hardware: bool) -> dict[str, float]:
        path = design.path if architecture else base
        precision = (design.precision if architecture else few_bits) if bits else None
        return cost(path, precision, design.machine if hardware else handcrafted, layout)

    start, end = mixed(False, False, False), mixed(True, True, True)
    ladder = [start, mixed(True, False, False), mixed(True, True, False), end]
    without = {part: mixed(*(part != other for other in PARTS)) for part in PARTS}
    bases = {name: cost(base, None, hw.load(name), layout) for name in BASELINES}
    return {
        "base": bases,
        "design": end,
        "against": {name: gains(before, end) for name, before in bases.items()},
        "steps": {part: gains(*ladder[at : at + 2]) for at, part in enumerate(PARTS)},
        "fixed": {part: gains(start, left) for part, left in without.items()},
        "laws": {law: _under(law, base, design, layout) for law in LAWS},
    }


def _for(base: Path, precision: Precision) -> Precision:
    """A design's bits for another architecture; where the design has no operator, the most of any other."""
    most = Bits(
        max(bits.weight for bits in precision.bits.values()),
        max(bits.activation for bits in precision.bits.values()),
    )
    return replace(precision, bits={slot: precision.bits.get(slot, most) for slot in slots(base.space)})


def _under(law: str, base: Path, design: Design, layout: Layout) -> dict[str, float]:
    def under(machine: Machine) -> Machine:
        assert isinstance(machine, PIMConfig)
        return replace(machine, adc_law=law)

    return gains(
        cost(base, None, under(hw.load("handcrafted")), layout),
        cost(design.path, design.precision, under(design.machine), layout),
    )
