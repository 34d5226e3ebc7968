"""Measures the embedded server: server in one process, client in another, gRPC over loopback."""

import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from recfactory.errors import UserError
from recfactory.features.spec import FeatureSpec
from recfactory.saved_model import saved_model_dir
from recfactory.schema.columns import Categorical, Dense, Label, Schema
from serving.client import Client
from serving.warmup import read_warmup

BATCHES = (1, 64)
CLIENTS = 4
_SERVE = "import sys; from serving.server.serve import serve; serve(sys.argv[1], 0, 0)"


def bench_serving(model: Path | str | None = None, seconds: float = 20.0) -> dict[str, Any]:
    """Times the server's answers to serialized tf.Examples, decoding them and encoding answers included.

    Args:
        model: a model folder or SavedModel; without one, an untrained DCN-V2 over 13 dense columns and 26
            categorical ones of 10,000 values each.
        seconds: to measure for, about.

    Returns:
        `p50_seconds` and `p99_seconds` by batch size, one request at a time; `requests_per_second` of 4
        clients at once with batches of 64; `first_request_seconds` of the very first request, a batch of 64.
    """
    with tempfile.TemporaryDirectory() as scratch:
        base = Path(scratch) / "models"
        saved_model = saved_model_dir(model) if model else _make_model(Path(scratch) / "saved_model")
        (base / "ctr").mkdir(parents=True)
        (base / "ctr" / "1").symlink_to(saved_model.resolve())
        examples = _examples(saved_model, max(BATCHES))
        with _server(base) as address, Client(address) as client:
            client.status()  # Connects, so that the first request times the model alone.
            first = _time(client, examples[: max(BATCHES)])
            times = {size: _times(client, examples[:size], seconds / 3) for size in BATCHES}
            rate = _rate(address, examples[: max(BATCHES)], seconds / 3)
    return {
        "p50_seconds": {str(size): float(np.median(found)) for size, found in times.items()},
        "p99_seconds": {str(size): float(np.quantile(found, 0.99)) for size, found in times.items()},
        "requests_per_second": rate,
        "first_request_seconds": first,
    }


def _time(client: Client, examples: list[bytes]) -> float:
    started = time.perf_counter()
    client.predict(examples)
    return time.perf_counter() - started


def _times(client: Client, examples: list[bytes], seconds: float) -> npt.NDArray[np.float64]:
    over = time.perf_counter() + seconds
    times = []
    while time.perf_counter() < over:
        times.append(_time(client, examples))
    return np.array(times)


def _rate(address: str, examples: list[bytes], seconds: float) -> float:
    counts: list[int] = []

    def ask() -> None:
        with Client(address) as client:
            counts.append(len(_times(client, examples, seconds)))

    threads = [threading.Thread(target=ask) for _ in range(CLIENTS)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    return sum(counts) / seconds


@contextmanager
def _server(base: Path) -> Iterator[str]:
    """Yields the gRPC address of a server in a process of its own."""
    with tempfile.TemporaryFile("w+") as log:
        process = subprocess.Popen(
            [sys.executable, "-c", _SERVE, str(base)], stdout=subprocess.PIPE, stderr=log, text=True
        )
        try:
            assert process.stdout is not None
            ready = process.stdout.readline()
            if not ready:
                log.seek(0)
                raise UserError(f"the server did not start: {log.read().strip().splitlines()[-1]}")
            yield ready.split("gRPC ")[1].split(",")[0]
        finally:
            process.terminate()
            process.communicate()


def _examples(saved_model: Path, count: int) -> list[bytes]:
    """The examples of the warm-up file's largest batch."""
    batches = [
        list(request.inputs["examples"].string_val)
        for request in read_warmup(saved_model)
        if "examples" in request.inputs
    ]
    longest = max(batches, key=len, default=[])
    if len(longest) < count:
        raise UserError(f"the warm-up file of '{saved_model}' holds no batch of {count} examples")
    return longest


def _make_model(out: Path) -> Path:
    import tensorflow as tf

    from recfactory.models.registry import build
    from serving.export import export

    values = tuple(b"%08x" % number for number in range(10_000))
    schema = Schema(
        name="bench",
        label=Label("click"),
        dense=tuple(Dense(f"I{number}", "log") for number in range(1, 14)),
        categorical=tuple(Categorical(f"C{number}") for number in range(1, 27)),
    )
    spec = FeatureSpec(schema, {column.name: values for column in schema.categorical}, {})
    random = np.random.default_rng(0)
    examples = []
    for _ in range(128):
        example = tf.train.Example()
        for column in schema.dense:
            example.features.feature[column.name].float_list.value.append(random.exponential(10))
        for categorical in schema.categorical:
            value = values[int(random.integers(len(values)))]
            example.features.feature[categorical.name].bytes_list.value.append(value)
        examples.append(example.SerializeToString(deterministic=True))
    return export(build("dcnv2", spec.layout), spec, out, examples)
