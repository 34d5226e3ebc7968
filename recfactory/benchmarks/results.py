"""Keeps what a benchmark measured, with how to measure it again."""

import datetime
import os
import platform
import sys
from pathlib import Path
from typing import Any

from recfactory.files import read_json, write_json


def keep_result(name: str, measured: Any, folder: Path, dataset: str | None = None) -> Path:
    """Writes a result with its command, date and machine.

    Args:
        name: of the benchmark.
        measured: its figures.
        folder: of all results.
        dataset: that was measured on; its record stands beside those of others in the file.

    Returns:
        The file.
    """
    path = folder / f"{name}.json"
    record: dict[str, Any] = {
        "command": " ".join(["recfactory", *sys.argv[1:]]),
        "date": datetime.datetime.now(datetime.UTC).date().isoformat(),
        "machine": {"cpu": _cpu(), "cores": os.cpu_count(), "python": platform.python_version()},
        "result": measured,
    }
    if dataset is not None:
        record = {**(read_json(path) if path.is_file() else {}), dataset: record}
    write_json(path, record)
    return path


def _cpu() -> str:
    """The processor's name."""
    try:
        lines = Path("/proc/cpuinfo").read_text(encoding="utf-8").splitlines()
    except OSError:
        return platform.processor()
    return next((line.split(":", 1)[1].strip() for line in lines if line.startswith("model name")), "unknown")
