"""How much less energy and latency a co-design takes than an architecture on a fixed machine, and why."""

from collections.abc import Mapping
from dataclasses import replace
from typing import Any

import numpy as np

import hw
from hw.adc import LAWS
from hw.config import Machine, PIMConfig, Roofline
from recfactory.benchmarks.few_bits import all_with, bits_for
from recfactory.codesign.designs import Design
from recfactory.codesign.workload import path_workload
from recfactory.features.layout import Layout
from recfactory.quantise.precision import Precision
from recfactory.space.path import Path

BASELINE = "handcrafted"
PARTS = ("architecture", "bits", "hardware")
"""What a co-design chooses."""
COPIES = 8
BATCH = 64
Cost = Mapping[str, float]


def handcrafted() -> PIMConfig:
    """The fixed crossbar machine that gains are over."""
    machine = hw.load(BASELINE)
    assert isinstance(machine, PIMConfig)
    return machine


def baselines() -> dict[str, Machine]:
    """The fixed machines that a co-design is compared with.

    Beside the presets: `handcrafted` with a matrix stored up to 8 times, as ISAAC replicates those that are
    applied often, or with each on crossbars or the digital unit, whichever is cheaper; `recnmp` without the
    time that an operation takes to begin, or with 64 examples at once.
    """
    fixed, recnmp = handcrafted(), hw.load("recnmp")
    assert isinstance(recnmp, Roofline)
    return {
        BASELINE: fixed,
        "handcrafted_replicated": replace(fixed, copies=COPIES),
        "handcrafted_cheaper": replace(fixed, placement="cheaper"),
        "recnmp": recnmp,
        "recnmp_without_starts": replace(recnmp, start_s=0.0),
        "recnmp_batched": replace(recnmp, batch=BATCH),
    }


def cost(path: Path, precision: Precision | None, machine: Machine, layout: Layout) -> dict[str, float]:
    """What an example costs: `energy_j`, `latency_s`, and `interval_s` between examples of a full pipeline.

    Args:
        path: the architecture.
        precision: of its operators; None for the machine's own bits, 8 on `handcrafted`.
        machine: that runs it.
        layout: of the features.

    Returns:
        These, and `area_m2` of the machine where it is known; no latency of a batch, which is not that of an
        example.
    """
    estimate = hw.estimate(path_workload(path, layout, precision), machine)
    area, latency = float(estimate.area_m2[0]), float(estimate.latency_s[0])
    return {
        "energy_j": float(estimate.energy_j[0]),
        **({} if isinstance(machine, Roofline) and machine.batch > 1 else {"latency_s": latency}),
        "interval_s": 1 / float(estimate.examples_per_second[0]),
        **({"area_m2": area} if np.isfinite(area) else {}),
    }


def prices(path: Path, layout: Layout) -> dict[str, dict[str, float]]:
    """What an architecture costs on each of `baselines`, to six digits: rows of other prices differ in it."""
    return {
        name: {part: float(f"{each:.6g}") for part, each in cost(path, None, machine, layout).items()}
        for name, machine in baselines().items()
    }


def four_bits(path: Path, layout: Layout) -> dict[str, float]:
    """Gains of 4 bits everywhere on `handcrafted`, and nothing else changed."""
    before, after = (cost(path, bits, handcrafted(), layout) for bits in (None, all_with(4, path)))
    return gains(before, after)


def gains(before: Cost, after: Cost) -> dict[str, float]:
    """How many times less each cost is that both have."""
    return {name: before[name] / after[name] for name in before if name in after}


def explain(base: Path, design: Design, layout: Layout) -> dict[str, Any]:
    """Gains of a co-design over an architecture.

    Args:
        base: the architecture that it is compared with.
        design: the co-design, on a machine of crossbars.
        layout: of the features.

    Returns:
        `base` on each of `baselines` and `design`, what they cost; `against`, the gains over each of them;
        `steps`, the gain over `handcrafted` as the product of what the architecture, then the bits, then the
        hardware add; `fixed`, the gain that is left with one of them as in the base; `on_crossbars`, the gain
        with all matrix products on crossbars; `crossbar_share` of multiply-adds that the design has there;
        `laws`, the gains by ADC law.
    """
    machines = baselines()
    few_bits = bits_for(base, design.precision)

    def mixed(architecture: bool, bits: bool, hardware: bool) -> dict[str, float]:
        path = design.path if architecture else base
        precision = (design.precision if architecture else few_bits) if bits else None
        return cost(path, precision, design.machine if hardware else machines[BASELINE], layout)

    start, end = mixed(False, False, False), mixed(True, True, True)
    ladder = [start, mixed(True, False, False), mixed(True, True, False), end]
    without = {part: mixed(*(part != other for other in PARTS)) for part in PARTS}
    bases = {name: cost(base, None, machine, layout) for name, machine in machines.items()}
    assert isinstance(design.machine, PIMConfig)
    crossbars_only = replace(design.machine, placement="crossbar")
    return {
        "base": bases,
        "design": end,
        "against": {name: gains(before, end) for name, before in bases.items()},
        "steps": {part: gains(*ladder[at : at + 2]) for at, part in enumerate(PARTS)},
        "fixed": {part: gains(start, left) for part, left in without.items()},
        "crossbar_share": _crossbar_share(design, layout),
        "on_crossbars": gains(start, cost(design.path, design.precision, crossbars_only, layout)),
        "laws": {law: _under(law, base, design, layout) for law in LAWS},
    }


def _crossbar_share(design: Design, layout: Layout) -> float:
    workload = path_workload(design.path, layout, design.precision)
    placed = hw.estimate(workload, design.machine).on_crossbars
    return float((workload.macs * placed).sum() / workload.macs.sum())


def _under(law: str, base: Path, design: Design, layout: Layout) -> dict[str, dict[str, float]]:
    """The gains over each of `baselines`."""

    def under(machine: Machine) -> Machine:
        return replace(machine, adc_law=law) if isinstance(machine, PIMConfig) else machine

    end = cost(design.path, design.precision, under(design.machine), layout)
    return {
        name: gains(cost(base, None, under(machine), layout), end) for name, machine in baselines().items()
    }
