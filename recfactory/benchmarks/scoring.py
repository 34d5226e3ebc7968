"""Measures what scoring a candidate costs, beside NASRec's way for the same number of examples.

Both in seconds of processor time, so that other work on the machine matters little. NASRec's way: a process
per candidate that builds the network at full width (`full_width.py`), loads its weights, fine-tunes the last
layer for 500 steps of 512 rows and evaluates 150 batches of 8192 rows (arXiv 2207.07187, section 4.2). It is
favoured: it is compiled as a graph, unlike the public code; it loads the weights of the candidate's operators
alone, and reads its rows for nothing. Both ways run a share of the examples; what these cost is scaled to all
of them, and the start of a process is added once.
"""

import json
import resource
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Sequence
from pathlib import Path as Folder
from typing import Any

import keras
import numpy as np
import tensorflow as tf

from recfactory.benchmarks.nasrec.full_weights import full_weights
from recfactory.benchmarks.nasrec.scoring import TRAIN_BATCH, VALID_BATCH
from recfactory.benchmarks.supernet import CATEGORICAL, DENSE, IDS
from recfactory.features.layout import Layout, make_layout
from recfactory.features.packed import Encoded, blocks, dataset
from recfactory.models.sparse_update import SparseAdagrad
from recfactory.space.genes import decode
from recfactory.space.path import Path
from recfactory.space.sampling import sample_uniform
from recfactory.space.space import PRESETS, make_space
from recfactory.supernet.samplers import RandomPaths
from recfactory.supernet.score import Scorer, Scoring
from recfactory.supernet.supernet import Supernet
from recfactory.training.source import Source

STEPS, BATCHES = 500, 150
SEED = 1
WARM_STEPS = 100
Log = Callable[[str], None]


def bench_scoring(
    log: Log = print,
    paths: int = 6,
    steps: int = 20,
    batches: int = 6,
    ids: int = IDS,
    presets: Sequence[str] = tuple(PRESETS),
    **changes: Any,
) -> dict[str, Any]:
    """Scores random paths of the presets in both ways.

    Args:
        log: is told of each candidate.
        paths: random ones of each space, as NASRec's evolution starts from.
        steps: of fine-tuning that are run, of 500.
        batches: of evaluation that are run, of 150.
        ids: of each categorical column.
        presets: whose spaces.
        **changes: of the spaces, see `make_space`.

    Returns:
        `examples`, how many a candidate is fitted to and evaluated on, and how many of them were `run`; by
        preset, of `ours` and `nasrec`: `cpu_seconds_per_candidate`, scaled to all examples, its split into
        `start`, `fit` and `evaluate`, and the seconds `measured` before scaling; `ratio` of the two, and the
        `ratios` of the single candidates.
    """
    layout = make_layout(
        tuple(f"I{i}" for i in range(DENSE)), [(f"C{i}", 1, ids) for i in range(CATEGORICAL)]
    )
    run = {"fit": steps * TRAIN_BATCH, "evaluate": batches * VALID_BATCH}
    measured: dict[str, Any] = {
        "examples": {"fit": STEPS * TRAIN_BATCH, "evaluate": BATCHES * VALID_BATCH},
        "run": run,
        "seeds": [SEED],
        "paths": paths,
    }
    with tempfile.TemporaryDirectory() as name:
        folder = Folder(name)
        source = _source(folder, layout, run)
        for preset in presets:
            space = make_space(layout, preset, **changes)
            log(f"  {preset}:")
            chosen = decode(space, sample_uniform(space, paths, np.random.default_rng(SEED)))
            rows = _measure(chosen, source, folder, (steps, batches), log)
            measured[preset] = summarise(rows, steps / STEPS, batches / BATCHES)
    return measured


def summarise(
    rows: list[dict[str, dict[str, float]]], fit_share: float, evaluate_share: float
) -> dict[str, Any]:
    """Means over candidates, scaled to all examples.

    Args:
        rows: of each candidate, of `ours` and `nasrec`, the seconds of `start`, `fit` and `evaluate`.
        fit_share: of the examples to fit to that were run.
        evaluate_share: of the examples to evaluate on that were run.
    """
    shares = {"start": 1.0, "fit": fit_share, "evaluate": evaluate_share}
    summary: dict[str, Any] = {}
    totals = {}
    for way in ("ours", "nasrec"):
        seconds = {part: np.array([row[way][part] for row in rows]) for part in shares}
        scaled = {part: seconds[part] / share for part, share in shares.items()}
        totals[way] = np.sum(list(scaled.values()), axis=0)
        summary[way] = {
            "cpu_seconds_per_candidate": float(np.mean(totals[way])),
            **{part: float(np.mean(values)) for part, values in scaled.items()},
            "measured": {part: float(np.mean(values)) for part, values in seconds.items()},
        }
    summary["ratio"] = float(np.mean(totals["nasrec"]) / np.mean(totals["ours"]))
    summary["ratios"] = [float(ratio) for ratio in totals["nasrec"] / totals["ours"]]
    return summary


def _measure(
    paths: list[Path], source: Source, folder: Folder, counts: tuple[int, int], log: Log
) -> list[dict[str, dict[str, float]]]:
    supernet = _trained(paths[0], source)
    scorer = Scorer(supernet, source, Scoring(source.rows["train"], valid_rows=None))
    # Operators are compiled once, for all the candidates that a search scores.
    few = next(iter(source.in_order("train").unbatch().batch(8)))[0]
    for path in paths:
        supernet(few, path=path)
    rows = []
    for number, path in enumerate(paths, 1):
        row = {"ours": _ours(scorer, path), "nasrec": _nasrecs(supernet, path, folder, counts)}
        log(f"  candidate {number} of {len(paths)}, processor seconds as run: {row}")
        rows.append(row)
    return rows


def _ours(scorer: Scorer, path: Path) -> dict[str, float]:
    times = [time.process_time()]
    subnet = scorer.supernet.subnet(path)
    times.append(time.process_time())
    coefficients = scorer.fit(subnet)
    times.append(time.process_time())
    scorer.judge(subnet, coefficients)
    times.append(time.process_time())
    return {part: times[i + 1] - times[i] for i, part in enumerate(("start", "fit", "evaluate"))}


def _nasrecs(supernet: Supernet, path: Path, folder: Folder, counts: tuple[int, int]) -> dict[str, float]:
    weights, architecture = folder / "weights.npz", folder / "path.json"
    np.savez(weights, table=supernet.embedding.table.numpy(), **full_weights(supernet, path))  # type: ignore[arg-type]
    architecture.write_text(path.to_json(), encoding="utf-8")
    before = _children_seconds()
    child = subprocess.run(
        [sys.executable, "-m", "recfactory.benchmarks.nasrec.scoring"]
        + [str(x) for x in (weights, architecture, folder / "rows.npz", *counts)],
        stdout=subprocess.PIPE,
        check=True,
    )
    total = _children_seconds() - before
    found = json.loads(child.stdout.splitlines()[-1])
    start = total - found["tune"] - found["evaluate"] - found["aside"]
    return {"start": start, "fit": found["tune"], "evaluate": found["evaluate"]}


def _children_seconds() -> float:
    used = resource.getrusage(resource.RUSAGE_CHILDREN)
    return used.ru_utime + used.ru_stime


def _trained(path: Path, source: Source) -> Supernet:
    """A supernet whose paths have learnt something, so that a last layer is fitted as in a search."""
    keras.utils.set_random_seed(SEED)
    supernet = Supernet(path.space, source.layout, RandomPaths(SEED))
    supernet.compile(SparseAdagrad(0.12, 0.0, 1e-2))
    rows = dataset(source.features, "train", source.layout, TRAIN_BATCH, shuffle_seed=SEED)
    supernet.fit(rows.repeat(), steps_per_epoch=WARM_STEPS, verbose=0)
    return supernet


def _source(folder: Folder, layout: Layout, run: dict[str, int]) -> Source:
    """Random rows with clicks that follow them: a features folder, and the file rows.npz of arrays."""
    random = np.random.default_rng(SEED)
    rows = {"train": run["fit"], "valid": run["evaluate"]}
    for split, count in rows.items():
        made = _rows(random, layout, count)
        file = folder / "features" / "encoded" / split / "part-00000.tfrecord"
        file.parent.mkdir(parents=True)
        with tf.io.TFRecordWriter(str(file)) as writer:
            for block in blocks(made):
                writer.write(block)
    np.savez(folder / "rows.npz", numbers=made.dense, ids=made.ids, label=made.label)
    return Source(folder / "features", layout, rows, "benchmark")


def _rows(random: np.random.Generator, layout: Layout, count: int) -> Encoded:
    offsets, sizes = (np.array([getattr(f, name) for f in layout.fields]) for name in ("offset", "size"))
    ids = (offsets + random.integers(0, sizes, (count, CATEGORICAL))).astype(np.int32)
    dense = random.normal(size=(count, DENSE)).astype(np.float32)
    logits = dense[:, 0] * dense[:, 1] + dense[:, 2] + np.where(ids[:, 0] % 2, 0.5, -0.5) - 1.0
    label = (random.random(count) < 1 / (1 + np.exp(-logits))).astype(np.float32)
    return Encoded(dense, ids, label, np.ones(count, np.float32))
