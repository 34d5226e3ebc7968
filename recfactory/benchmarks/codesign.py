"""Compares co-designs with searched architectures on fixed machines, and shows what few bits cost."""

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np

from recfactory.benchmarks.codesign_row import bits_row, codesign_row
from recfactory.benchmarks.rows import Job, Row
from recfactory.benchmarks.search import Settings
from recfactory.benchmarks.search_row import SPLITS
from recfactory.benchmarks.winners import Benchmark, Winner

LEAST = {"energy_j": 1.8, "latency_s": 1.5}
"""What the PIM co-design paper gained over a hand-crafted design on crossbars."""
HARDWARE: dict[str, Any] = {
    "base": "handcrafted",
    "choices": {
        "rows": [64, 128, 256],
        "cols": [64, 128, 256],
        "cell_bits": [1, 2, 4],
        "dac_bits": [1, 2],
        "adc_bits": [None, 5, 6, 7, 8],
        "adcs_per_crossbar": [1, 2, 4],
        "copies": [1, 2, 4, 8],
        "placement": ["crossbar", "cheaper"],
    },
    "weight_bits": [4, 8],
    "activation_bits": [4, 8],
    "embedding_bits": [8],
}
"""As examples/codesign.yaml, but for the embedding table: its memory stays the baseline's, its bits are 8."""
ASKED = {
    "oracle": "pareto",
    "objectives": ["logloss", "energy_j", "latency_s"],
    "hardware": HARDWARE,
    "rule": "best",
}


def summarise(rows: Sequence[Row]) -> dict[str, Any]:
    """Means over seeds.

    Args:
        rows: of a finished journal.

    Returns:
        Of co-designs the gains `against` baselines, in `steps`, with a part `fixed` and by ADC `laws`
        (geometric means), and by split `logloss`, `auc`, and `auc_gained` on the architectures' mean; of
        few bits the LogLoss by split, with the deviation over seeds.
    """
    designs = [row for row in rows if row["method"] == "codesign"]
    bits = [row for row in rows if row["method"] == "bits"]
    summary: dict[str, Any] = {"seeds": len(designs)}
    for name in ("against", "steps", "fixed", "laws"):
        summary[name] = {
            each: {
                score: float(np.exp(np.mean([np.log(row[name][each][score]) for row in designs])))
                for score in designs[0][name][each]
            }
            for each in designs[0][name]
        }
    for split in SPLITS:
        if split not in designs[0]:
            continue
        auc = float(np.mean([row[split]["auc"] for row in designs]))
        before = float(np.mean([row["searched"][split]["auc"] for row in designs]))
        summary[split] = {
            "logloss": float(np.mean([row[split]["logloss"] for row in designs])),
            "auc": auc,
            "auc_gained": auc - before,
            "bits": {
                name: {"mean": float(np.mean(values)), "std": float(np.std(values, ddof=1))}
                for name in bits[0]
                if name not in ("method", "seed")
                for values in [[row[name][split]["logloss"] for row in bits]]
            },
        }
    return summary


def _jobs(features: Path, folder: Path, settings: Settings, winner: Winner) -> list[Job]:
    seed = winner.seed
    asked = {**settings.search, **ASKED, "seed": seed, "start": [winner.path.to_dict()]}
    searched = (features, folder / f"codesign-{seed}", winner, asked, settings.minutes, LEAST)
    return [
        Job("codesign", seed, codesign_row, searched),
        Job("bits", seed, bits_row, (features, folder / f"bits-{seed}", winner)),
    ]


CODESIGN = Benchmark(_jobs, summarise)
"""Co-designs that cost as much less as was published, and what they lose; architectures with few bits."""
