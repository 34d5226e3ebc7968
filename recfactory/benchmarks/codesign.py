"""Compares co-designs with searched architectures on fixed machines, and shows what few bits cost."""

import json
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import numpy as np

from recfactory.benchmarks.codesign_row import bits_row, codesign_row
from recfactory.benchmarks.rows import Job, Row, make_rows
from recfactory.benchmarks.search import settings_of
from recfactory.benchmarks.search_row import SPLITS
from recfactory.benchmarks.winners import Winner, read_winners

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
"""As examples/codesign.yaml, but for the memory of the embedding table, which stays the baseline's."""
ASKED = {
    "oracle": "pareto",
    "objectives": ["logloss", "energy_j", "latency_s"],
    "hardware": HARDWARE,
    "rule": "best",
}


def bench_codesign(
    dataset: str,
    features: Path | str,
    rows: Path | str,
    winners: Path | str,
    folder: Path | str,
    log: Callable[[str], None] = print,
    processes: int | None = None,
) -> dict[str, Any]:
    """Searches co-designs that cost as much less as was published, and measures what they lose.

    Args:
        dataset: one of `search.SETTINGS`.
        features: its features folder.
        rows: file that grows by a row of JSON for each search or training.
        winners: rows of the search benchmark on this data set.
        folder: to work in.
        log: takes a line per row.
        processes: at once; default: one per core.

    Returns:
        As `summarise`.

    Raises:
        UserError: for an unknown data set, or when no architecture was searched yet.
    """
    settings, found = settings_of(dataset), read_winners(winners)
    features, folder = Path(features), Path(folder)
    jobs = []
    for winner in found:
        start = [json.loads(winner.path.to_json())]
        asked = {**settings.search, **ASKED, "seed": winner.seed, "start": start}
        own = (features, folder / f"codesign-{winner.seed}", winner, asked)
        jobs += [
            Job("codesign", winner.seed, codesign_row, (*own, settings.minutes, LEAST)),
            Job("bits", winner.seed, bits_row, (features, folder / f"bits-{winner.seed}", winner)),
        ]
    made = make_rows(
        rows, jobs, lambda row: log(f"{dataset}, {row['method']}, seed {row['seed']}: done"), processes
    )
    return summarise(made, found)


def summarise(rows: Sequence[Row], winners: Sequence[Winner]) -> dict[str, Any]:
    """Means over seeds.

    Args:
        rows: of a finished journal.
        winners: that they start from.

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
        before = float(np.mean([winner.row[split]["auc"] for winner in winners]))
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
