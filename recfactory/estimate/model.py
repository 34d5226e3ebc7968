"""What a model costs on machines: energy, latency, area, utilisation. Needs no TensorFlow."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path as File
from typing import Any

import numpy as np

import hw
from hw.config import Machine, PIMConfig
from hw.operation import LOOKUP
from recfactory.codesign.design_file import read_design
from recfactory.codesign.hardware import read_hardware
from recfactory.codesign.workload import path_workload
from recfactory.errors import UsageError
from recfactory.estimate.handmade import handmade_workload
from recfactory.features.spec import read_spec
from recfactory.files import read_json
from recfactory.models.registry import MODELS, check_name
from recfactory.pruning.workload import CUT, cut_workload, read_cut
from recfactory.space.path_file import ENDING, check_columns, read_path
from recfactory.training.folder import PATH, RECIPE
from recfactory.training.recipe import Recipe

DEFAULT = "handcrafted"
OWN = "its own"
"""Name of the machine that a co-design found together with the model."""
SCORES = ("energy_j", "latency_s", "area_m2", "power_w", "utilisation", "examples_per_second")


@dataclass(frozen=True)
class Estimated:
    """A model on machines.

    Args:
        model: as it was named.
        macs: multiply-accumulates per example.
        bits: whether operators have bits of their own, found by a co-design.
        machines: the estimate by the machine's name.
    """

    model: str
    macs: int
    bits: bool
    machines: Mapping[str, hw.Estimate]

    def to_dict(self) -> dict[str, Any]:
        """JSON values, SI units; what is not known (the area of some processors) is null."""
        return {
            "model": self.model,
            "macs": self.macs,
            "machines": {name: _to_dict(estimate) for name, estimate in self.machines.items()},
        }


def estimate_model(
    model: str, features: File | str, machines: Sequence[str] = (), recipe: Recipe | None = None
) -> Estimated:
    """Estimates a model on machines, an example at a time.

    Bits that a co-design found go with the model to every machine of crossbars.

    Args:
        model: dlrm, deepfm, dcnv2, mlp, a path file such as best.json, or the folder of a trained or pruned
            model.
        features: the features folder: how many columns there are, and how large the embedding table is.
        machines: presets of `hw` or YAML files; default: the machine that a co-design found with the model,
            and `handcrafted`.
        recipe: sizes of hand-made models; a folder has its own.

    Raises:
        UserError: for a model, folder or machine that is not there or not right.
    """
    named, (model, recipe) = model, _meant(model, recipe)
    read = {name: _fixed(name) for name in dict.fromkeys(machines)}
    layout = read_spec(features).layout
    design = read_design(model) if model.endswith(ENDING) else None
    if model.endswith(ENDING):
        path = read_path(model)
        check_columns(path, layout, features)
        workload = path_workload(path, layout, design.precision if design else None)
    elif (File(model) / CUT).is_file():
        path, cut = read_cut(File(model))
        check_columns(path, layout, features)
        workload = cut_workload(path, cut, layout)
    else:
        workload = handmade_workload(model, layout, recipe)
    if not read:
        read = {**({OWN: (design.machine, 0)} if design else {}), DEFAULT: _fixed(DEFAULT)}
    estimates = {
        name: hw.estimate(_with_table(workload, bits), machine) for name, (machine, bits) in read.items()
    }
    return Estimated(named, int(workload.macs.sum()), bool(design and design.precision.bits), estimates)


def _meant(model: str, recipe: Recipe | None) -> tuple[str, Recipe | None]:
    """What is in the folder of a model, if one is named: a path file, what pruning left, or a recipe."""
    folder = File(model)
    if model in MODELS or not folder.is_dir():
        check_name(model)
        return model, recipe
    if (folder / CUT).is_file():
        return model, None
    if (folder / PATH).is_file():
        return str(folder / PATH), None
    about = read_json(folder / RECIPE) if (folder / RECIPE).is_file() else {}
    if about.get("model") in MODELS:
        return about["model"], Recipe.from_dict(about["recipe"])
    raise UsageError(
        f"'{model}' holds no trained or pruned model; of trainings with several seeds, name the folder of one"
    )


def _fixed(name: str) -> tuple[Machine, int]:
    """A machine with its bits, and those of an embedding table on it."""
    hardware = read_hardware(name)
    if hardware.is_searched:
        raise UsageError(
            f"'{name}' leaves the machine open, for a search; estimate takes one machine: a preset "
            f"({', '.join(hw.PRESETS)}) or a file like hw/presets/handcrafted.yaml"
        )
    try:
        machine = hardware.machine([0] * len(hardware.choices))
    except hw.HardwareError as error:
        raise UsageError(f"'{name}': {error}") from None
    if isinstance(machine, PIMConfig):
        (weights,), (activations,) = hardware.weight_bits, hardware.activation_bits
        machine = replace(machine, weight_bits=weights, activation_bits=activations)
    return machine, hardware.embedding_bits[0]


def _with_table(workload: hw.Workload, bits: int) -> hw.Workload:
    """A workload whose embedding table has these bits (0: the machine's), unless a co-design chose others."""
    own = (workload.kind == LOOKUP) & (workload.weight_bits == 0)
    return replace(workload, weight_bits=np.where(own, bits, workload.weight_bits))


def _to_dict(estimate: hw.Estimate) -> dict[str, Any]:
    def number(value: Any) -> float | None:
        return float(value) if np.isfinite(value) else None

    def shares(names: Sequence[str], values: Any) -> dict[str, float | None]:
        return {name: number(value) for name, value in zip(names, values[0], strict=True)}

    return {
        **{name: number(getattr(estimate, name)[0]) for name in SCORES},
        "energy_by_operation": shares(estimate.operations, estimate.energy_by_operation),
        "latency_by_operation": shares(estimate.operations, estimate.latency_by_operation),
        "crossbars_by_operation": shares(estimate.operations, estimate.arrays),
        "energy_by_component": shares(estimate.components, estimate.energy_by_component),
        "area_by_part": shares(estimate.area_parts, estimate.area_by_part),
    }
