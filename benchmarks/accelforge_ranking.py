"""Rung 6 of the validation: does `hw` rank layers by energy as AccelForge's model of ISAAC does?

Layers of random multi-layer perceptrons are estimated by both; what is kept is Spearman's rank correlation,
beside that of simpler predictors, and the ratio of both estimates.
AccelForge (MIT) needs Python 3.12 and is no dependency of this project:

    python3.12 -m venv ENV && ENV/bin/pip install accelforge==1.0.467
    PYTHONPATH=$PWD ENV/bin/python benchmarks/accelforge_ranking.py

Its wheels hold CACTI and NeuroSim compiled for glibc 2.38; on older systems compile both from the sources
that the wheels hold (`make opt` in hwcomponents_cacti/cacti; NeuroSIM with the files of
hwcomponents_neurosim/drop_in over it). NeuroSim is licensed for non-commercial use; none of it is part of
this project, only figures are compared.
"""

import argparse
import datetime
import itertools
import json
import math
import os
import platform
import random
import sys
import tempfile
from importlib.metadata import version
from pathlib import Path
from typing import Any

import numpy as np

import hw
from hw.adc import LAWS

WIDTHS = (16, 32, 64, 128, 256, 512, 768, 1024)
"""The dense widths of the search space."""
BITS = (4, 8)
ARRAYS_PER_MACRO = 8
Layer = tuple[int, int, int]
"""Inputs, outputs, bits of weights and activations."""


def random_perceptrons(count: int, seed: int) -> list[list[Layer]]:
    """Perceptrons of one to four hidden layers and a logit; each has one number of bits."""
    draw = random.Random(seed)
    made = []
    for _ in range(count):
        widths = [draw.randint(13, 1024), *draw.choices(WIDTHS, k=draw.randint(1, 4)), 1]
        bits = draw.choice(BITS)
        made.append([(inputs, outputs, bits) for inputs, outputs in itertools.pairwise(widths)])
    return made


def accelforge_energy(layer: Layer) -> float:
    """Joule of one product in AccelForge's model of ISAAC, with as many macros as the matrix fills.

    Two things are mended for version 1.0.467: an attribute of the ADC names a variable that is not there
    (it is 1), and every mapping is drawn with a program that need not be installed.
    """
    import accelforge
    from _load_spec import get_spec

    accelforge.mapper.FFM.Mappings.render = lambda *_, **__: ""
    inputs, outputs, bits = layer
    arrays = math.ceil(inputs / 128) * math.ceil(outputs * math.ceil(bits / 2) / 128)
    macros = math.ceil(arrays / ARRAYS_PER_MACRO)
    spec = get_spec("isaac_isca_2016", add_dummy_main_memory=True, n_macros=macros)
    (converter,) = (node for node in spec.arch.nodes if node.name == "ADC")
    throughput = "1 / cycle_period * cols_active_at_once / 100"
    converter.extra_attributes_for_component_model["throughput"] = throughput
    spec.workload.rank_sizes.update({"M": 1, "K": inputs, "N": outputs})
    for einsum in spec.workload.einsums:
        for tensor in einsum.tensor_accesses:
            tensor.bits_per_value = bits
    spec.mapper.metrics = accelforge.Metrics.ENERGY
    return float(spec.map_workload_to_arch(print_progress=False).energy())


def our_energies(layers: list[Layer], law: str) -> list[float]:
    """Joule of each layer by `hw`, on the preset `isaac` with another law of the ADC."""
    text = hw.to_yaml(hw.load("isaac")).replace("adc_law: accelergy", f"adc_law: {law}")
    operations = [
        hw.matrix(f"layer{place}", inputs, outputs, weight_bits=bits, activation_bits=bits)
        for place, (inputs, outputs, bits) in enumerate(layers)
    ]
    return hw.estimate(hw.Workload.of(operations), hw.from_yaml(text)).energy_by_operation[0].tolist()


def spearman(left: Any, right: Any) -> float:
    """Correlation of ranks; equal values share the mean of theirs."""
    return float(np.corrcoef(_ranks(left), _ranks(right))[0, 1])


def _ranks(values: Any) -> Any:
    _, place, count = np.unique(values, return_inverse=True, return_counts=True)
    last = np.cumsum(count)
    return (last - (count - 1) / 2)[place]


def compare(count: int, seed: int) -> dict[str, Any]:
    """Estimates the layers of `count` perceptrons in both ways."""
    networks = random_perceptrons(count, seed)
    layers = [layer for network in networks for layer in network]
    theirs: dict[Layer, float] = {}
    for done, layer in enumerate(layers):
        if layer not in theirs:
            theirs[layer] = accelforge_energy(layer)
            print(f"{done + 1}/{len(layers)} {layer} {theirs[layer]:.3e} J", file=sys.stderr)
    reference = [theirs[layer] for layer in layers]
    ours = {law: our_energies(layers, law) for law in LAWS}
    ends = np.cumsum([len(network) for network in networks])[:-1]
    whole = {law: [part.sum() for part in np.split(np.array(ours[law]), ends)] for law in LAWS}
    networks_reference = [part.sum() for part in np.split(np.array(reference), ends)]
    energies = [
        {"layer": list(layer), "accelforge_j": their, "hw_j": our}
        for layer, their, our in zip(layers, reference, ours["accelergy"], strict=True)
    ]
    return {
        "accelforge": version("accelforge"),
        "perceptrons": count,
        "layers": len(layers),
        "seed": seed,
        "spearman_of_layers": {law: spearman(ours[law], reference) for law in LAWS},
        "spearman_of_perceptrons": {law: spearman(whole[law], networks_reference) for law in LAWS},
        "median_ratio_of_layers": {
            law: float(np.median(np.array(ours[law]) / np.array(reference))) for law in LAWS
        },
        **summary(energies),
        "energies": energies,
    }


def summary(energies: list[dict[str, Any]]) -> dict[str, Any]:
    """Where the two differ: the ratio by number of outputs, and ranks within a bit width.

    AccelForge charges the idle columns of a crossbar, `hw` gates them: with few outputs it says less.

    Args:
        energies: layers with the energy of both, see `compare`.
    """
    inputs, outputs, bits = np.array([each["layer"] for each in energies]).T
    theirs, ours = (np.array([each[name] for each in energies]) for name in ("accelforge_j", "hw_j"))
    by_outputs = {**{str(n): outputs == n for n in (1, 16, 32, 64)}, ">=128": outputs >= 128}
    by_bits = {"all": bits > 0, **{str(n): bits == n for n in BITS}}
    macs = inputs * outputs
    predictors = {"hw": ours, "macs": macs, "macs_times_bits": macs * bits}
    return {
        "median_ratio_by_outputs": {
            name: float(np.median(ours[rows] / theirs[rows]))
            for name, rows in by_outputs.items()
            if rows.any()
        },
        "spearman_by_bits": {
            name: {which: spearman(values[rows], theirs[rows]) for which, values in predictors.items()}
            for name, rows in by_bits.items()
            if rows.any()
        },
    }


def main() -> None:
    """Compares, and keeps the result with how to get it again."""
    import accelforge

    parser = argparse.ArgumentParser(description="Rank correlation of layer energy with AccelForge.")
    parser.add_argument("--perceptrons", type=int, default=50)
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--out", type=Path, default=Path(__file__).parent / "results" / "accelforge.json")
    options = parser.parse_args()
    sys.path.insert(0, str(accelforge.examples.path / "arches" / "compute_in_memory"))
    out = options.out.resolve()
    with tempfile.TemporaryDirectory() as folder:
        os.chdir(folder)  # AccelForge draws its mappings into the working folder.
        result = compare(options.perceptrons, options.seed)
        os.chdir(out.parent)
    record = {
        "command": " ".join(["PYTHONPATH=$PWD python3.12 benchmarks/accelforge_ranking.py", *sys.argv[1:]]),
        "date": datetime.datetime.now(datetime.UTC).date().isoformat(),
        "machine": {"cores": os.cpu_count(), "cpu": _cpu(), "python": platform.python_version()},
        "result": result,
    }
    partial = out.with_name(f"{out.name}.partial-{os.getpid()}")
    partial.write_text(json.dumps(record, indent=1) + "\n", encoding="utf-8")
    partial.replace(out)
    print(json.dumps({name: value for name, value in result.items() if name != "energies"}))


def _cpu() -> str:
    lines = Path("/proc/cpuinfo").read_text(encoding="utf-8").splitlines()
    return next((line.split(":", 1)[1].strip() for line in lines if line.startswith("model name")), "unknown")


if __name__ == "__main__":
    main()
