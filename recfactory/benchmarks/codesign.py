"""Compares co-designs with searched architectures on fixed machines, and shows what few bits cost."""

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
from scipy.stats import gmean

from recfactory.benchmarks.bits_row import BITS, CLIPPED, bits_row
from recfactory.benchmarks.codesign_row import codesign_row
from recfactory.benchmarks.gains import BASELINE, PARTS, prices
from recfactory.benchmarks.on_chips import CHIPS, NOISES, USUAL_NOISE
from recfactory.benchmarks.paired import deviation, mean_and_interval, over_seeds
from recfactory.benchmarks.rows import Job, Row
from recfactory.benchmarks.search import Settings
from recfactory.benchmarks.search_row import last_split
from recfactory.benchmarks.winners import Benchmark, Winner
from recfactory.quantise.tune import EPOCHS
from recfactory.training.source import open_source

LEAST = {"energy_j": 1.8, "latency_s": 1.5}
"""What co-design gained over a hand-crafted design on crossbars (arXiv 2411.07569)."""
STRETCH = {"energy_j": 12.5, "latency_s": 3.4}
"""What AutoRAC gained."""
SCORING = {"valid_rows": 4096}
"""On crossbars a row takes ten times as long as in float32, and candidates are compared on the same rows."""
HARDWARE: dict[str, Any] = {
    "base": BASELINE,
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
    "noise": USUAL_NOISE,
}
"""As examples/codesign.yaml, but cells vary, and the embedding table has 8 bits and the baseline's memory."""
OBJECTIVES = ["logloss", "energy_j", "latency_s"]
SEARCHES = {"codesign": LEAST, "stretch": STRETCH}
"""By method, how many times less than the architecture on `BASELINE` its co-design may cost."""


def summarise(rows: Sequence[Row]) -> dict[str, Any]:
    """Means over seeds; gains are geometric ones.

    Args:
        rows: of a finished journal.

    Returns:
        What `_summary` says of co-designs and of the `stretch`, and how many were `impossible`; `four_bits`,
        what the architecture gains on `handcrafted` with 4 bits everywhere and nothing searched, and the AUC
        it loses; of `bits` LogLoss and its deviation over seeds, by what the model went through.
    """
    summary: dict[str, Any] = {}
    bits = [row for row in rows if row["method"] == "bits"]
    for method in SEARCHES:
        of_method = [row for row in rows if row["method"] == method]
        possible = [row for row in of_method if "impossible" not in row]
        found = {
            "impossible": len(of_method) - len(possible),
            **(_summary(possible, bits) if possible else {}),
        }
        summary |= found if method == "codesign" else {method: found}
    summary["four_bits"] = _four_bits(bits)
    split = last_split(bits[0]["float"])
    summary["bits"] = {
        name: _mean([row[name][split]["logloss"] for row in bits])
        for name, value in bits[0].items()
        if isinstance(value, Mapping) and split in value
    }
    return summary


def _summary(rows: Sequence[Row], bits: Sequence[Row]) -> dict[str, Any]:
    """Means over seeds of one way to search.

    Args:
        rows: one per seed.
        bits: those of the architectures with few bits.

    Returns:
        `energy_gain`, `latency_gain` and `macs_gain` over the searched architecture on the machine `against`;
        `auc_loss` on the `split`, with the 95% interval of other rows by a paired bootstrap and that of other
        seeds, and `logloss`; the loss beside the architecture in 8 bits on chips of `against`, with the same
        noise; that beside the architecture `as_found`, not trained on, and that of the design's model
        `in_float` beside it, not trained on either; the gains over all `baselines`; the
        `ablation`: gains in `steps`, with a part `fixed` (and the AUC lost so), all `on_crossbars`, and by
        ADC `laws`, and the `crossbar_share` of multiply-adds; `auc_loss_by_noise` of the cells.
    """
    split = last_split(rows[0])

    def auc_loss(of: list[Mapping[str, Any]], beside: str = "searched") -> float:
        before = [row[beside][split]["auc"] for row in rows]
        return float(np.mean(before) - np.mean([scores[split]["auc"] for scores in of]))

    baselines = {name: _gain([row["against"][name] for row in rows]) for name in rows[0]["against"]}
    fixed = {
        part: {
            **_gain([row["fixed"][part] for row in rows]),
            "auc_loss": auc_loss([row["fixed_scores"][part] for row in rows]),
        }
        for part in PARTS
    }
    return {
        "seeds": len(rows),
        "split": split,
        "against": BASELINE,
        "energy_gain": baselines[BASELINE]["energy_j"],
        "latency_gain": baselines[BASELINE]["latency_s"],
        "macs_gain": float(gmean([row["searched_macs"] / row["macs"] for row in rows])),
        "auc_loss": auc_loss(list(rows)),
        "auc_loss_paired": mean_and_interval([row["auc_losses"][split] for row in rows]),
        "auc_loss_over_seeds": over_seeds([row["auc_losses"][split][0] for row in rows]),
        "auc_loss_on_baseline": _mean_auc(bits, f"noise_{USUAL_NOISE}_8", split)
        - float(np.mean([row[split]["auc"] for row in rows])),
        "auc_loss_as_found": auc_loss(list(rows), "as_found"),
        "auc_loss_in_float": auc_loss([row["float"] for row in rows], "as_found"),
        "logloss": _mean([row[split]["logloss"] for row in rows]),
        "auc_loss_by_noise": {
            noise: auc_loss([row["noise"][noise] for row in rows]) for noise in rows[0]["noise"]
        },
        "baselines": baselines,
        "ablation": {
            "steps": {part: _gain([row["steps"][part] for row in rows]) for part in PARTS},
            "fixed": fixed,
            "on_crossbars": _gain([row["on_crossbars"] for row in rows]),
            "crossbar_share": float(np.mean([row["crossbar_share"] for row in rows])),
            "laws": {
                law: {name: _gain([row["laws"][law][name] for row in rows]) for name in baselines}
                for law in rows[0]["laws"]
            },
        },
    }


def _four_bits(bits: Sequence[Row]) -> dict[str, float]:
    split = last_split(bits[0]["float"])
    before, after = (_mean_auc(bits, name, split) for name in ("float_tuned", f"noise_{USUAL_NOISE}_4"))
    return {**_gain([row["four_bits"] for row in bits]), "auc_loss": before - after}


def _mean_auc(rows: Sequence[Row], name: str, split: str) -> float:
    return float(np.mean([row[name][split]["auc"] for row in rows]))


def _gain(gains: Sequence[Mapping[str, float]]) -> dict[str, float]:
    return {name: float(gmean([each[name] for each in gains])) for name in gains[0]}


def _mean(values: Sequence[float]) -> dict[str, float | None]:
    return {"mean": float(np.mean(values)), "std": deviation(values)}


def _jobs(features: Path, folder: Path, settings: Settings, winner: Winner) -> list[Job]:
    seed = winner.seed
    asked = {
        **settings.search,
        "objectives": OBJECTIVES,
        "hardware": HARDWARE,
        "oracle": "pareto",
        "rule": "best",
        "scoring": SCORING,
        "seed": seed,
        "start": [winner.path.to_dict()],
    }
    minutes, priced = settings.codesign, prices(winner.path, open_source(features).layout)
    simulated = (priced, NOISES, CHIPS, EPOCHS)
    return [
        winner.job("bits", bits_row, features, folder, settings=(*simulated, BITS, CLIPPED)),
        *(
            winner.job(
                name,
                codesign_row,
                features,
                folder,
                asked,
                minutes,
                least,
                settings=(*simulated, asked, minutes, least),
            )
            for name, least in SEARCHES.items()
        ),
    ]


CODESIGN = Benchmark(_jobs, summarise)
"""Co-designs that cost as much less as was published, and what they lose; architectures with few bits."""
