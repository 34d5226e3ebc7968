"""Keeps what a benchmark measured, with how to measure it again."""

import datetime
import os
import platform
import sys
from pathlib import Path
from typing import Any

from recfactory.files import read_json, write_json


def keep_result(name: str, measured: dict[str, Any], folder: Path, *, add: bool = False) -> Path:
    """Writes a result with its command, date and machine.

    Args:
        name: of the benchmark.
        measured: its figures.
        folder: of all results.
        add: whether earlier figures that were not measured now stay.

    Returns:
        The file.
    """
    path = folder / f"{name}.json"
    if add and path.is_file():
        measured = {**read_json(path)["result"], **measured}
    record = {
        "command": " ".join(["recfactory", *sys.argv[1:]]),
        "date": datetime.datetime.now(datetime.UTC).date().isoformat(),
        "machine": {"cpu": _cpu(), "cores": os.cpu_count(), "python": platform.python_version()},
        "result": measured,
    }
    write_json(path, record)
    return path


def _cpu() -> str:
    """The processor's name."""
    try:
        lines = Path("/proc/cpuinfo").read_text(encoding="utf-8").splitlines()
    except OSError:
        return platform.processor()
    return next((line.split(":", 1)[1].strip() for line in lines if line.startswith("model name")), "unknown")
