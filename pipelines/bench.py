"""Measures the features pipeline on a Criteo-like file, beside a plain per-row pipeline on the same rows."""

import shutil
import tempfile
import time
from collections.abc import Callable
from concurrent.futures import ProcessPoolExecutor
from multiprocessing import get_context
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.csv as pacsv

from recfactory.data.synthetic import CATEGORICAL, DENSE, SyntheticSource
from recfactory.quiet import import_tensorflow_quietly

PER_ROW_ROWS = 20_000
BATCH_SIZE = 512
_CHUNK = 65_536


def bench_features(rows: int = 1_000_000, folder: Path | None = None) -> dict[str, Any]:
    """Times making features end to end, and reading them back.

    Each figure comes from a process of its own, after its imports, so that the peak memory is that of one
    measurement alone.

    Args:
        rows: of the file.
        folder: where the files go and stay; default: a temporary folder.

    Returns:
        `rows_per_second` and `peak_rss_bytes` of `make_features` in one process (`seconds` in all), the rate
        of a per-row Beam pipeline on the first 20,000 rows, and the examples per second of the training
        input, shuffled in batches of 512, in its second pass.
    """
    if folder is None:
        with tempfile.TemporaryDirectory() as temporary:
            return bench_features(rows, Path(temporary))
    folder.mkdir(parents=True, exist_ok=True)
    file, out = folder / "criteo.tsv", folder / "features"
    shutil.rmtree(out, ignore_errors=True)
    _write_criteo(file, rows)
    seconds, peak = _alone(_time_features, file, out)
    return {
        "rows": rows,
        "seconds": seconds,
        "rows_per_second": rows / seconds,
        "peak_rss_bytes": peak,
        "per_row_pipeline_rows_per_second": _alone(_time_per_row, file, folder / "per-row"),
        "input_examples_per_second": _alone(_time_input, out),
    }


def _alone(measure: Callable[..., Any], *arguments: Path) -> Any:
    """Calls a function in a fresh process."""
    with ProcessPoolExecutor(1, get_context("spawn"), import_tensorflow_quietly) as pool:
        return pool.submit(measure, *arguments).result()


def _write_criteo(path: Path, rows: int) -> None:
    """Writes the columns of Criteo's train.txt: tab-separated, without a header."""
    source = SyntheticSource(rows, seed=1)
    options = pacsv.WriteOptions(include_header=False, delimiter="\t", quoting_style="none")
    with path.open("wb") as stream:
        for first in range(0, rows, _CHUNK):
            batch = source.batch(first, _CHUNK)
            numbers = {name: batch.column(name).cast(pa.int64()) for name in ("label", *DENSE)}
            texts = {name: batch.column(name).cast(pa.string()) for name in CATEGORICAL}
            pacsv.write_csv(pa.table(numbers | texts), stream, options)


def _time_features(file: Path, out: Path) -> tuple[float, int]:
    import pipelines.features.shards  # noqa: F401  # TensorFlow and tfx_bsl, which are imported late otherwise
    from pipelines.features import make_features

    start = time.perf_counter()
    make_features(str(file), out, "criteo")
    return time.perf_counter() - start, _peak_memory()


def _peak_memory() -> int:
    """The most memory this process has held at once; resource.getrusage would count its parent's too."""
    status = Path("/proc/self/status").read_text(encoding="ascii")
    (line,) = (line for line in status.splitlines() if line.startswith("VmHWM:"))
    return int(line.split()[1]) * 1024


def _time_per_row(file: Path, folder: Path) -> float:
    from pipelines.bench_per_row import run_per_row

    folder.mkdir(exist_ok=True)
    with file.open("rb") as stream:
        lines = [line for _, line in zip(range(PER_ROW_ROWS), stream, strict=False)]
    (folder / "rows.tsv").write_bytes(b"".join(lines))
    start = time.perf_counter()
    run_per_row(folder / "rows.tsv", folder / "examples")
    return len(lines) / (time.perf_counter() - start)


def _time_input(features: Path) -> float:
    from recfactory.features.packed import dataset
    from recfactory.features.spec import read_spec

    data = dataset(features, "train", read_spec(features).layout, BATCH_SIZE, shuffle_seed=1)
    for _ in range(2):
        start, examples = time.perf_counter(), 0
        for _, label, _ in data:
            examples += len(label)
        rate = examples / (time.perf_counter() - start)
    return rate
