"""Rows of a benchmark, each made by a process of one thread, in a file that grows row by row."""

import hashlib
import json
import os
from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import ProcessPoolExecutor, as_completed
from dataclasses import dataclass, field
from multiprocessing import get_context
from pathlib import Path
from typing import Any

from recfactory.errors import UserError
from recfactory.journal import Journal

Row = dict[str, Any]
_THREADS = (
    "TF_NUM_INTRAOP_THREADS",
    "TF_NUM_INTEROP_THREADS",
    "OMP_NUM_THREADS",
    "OPENBLAS_NUM_THREADS",
)


@dataclass(frozen=True)
class Job:
    """What makes a row.

    Args:
        method: that is measured.
        seed: of everything.
        make: makes the row, in another process.
        arguments: of `make`.
        about: what else the row says of what it was made from; a row that says something else is refused.
    """

    method: str
    seed: int
    make: Callable[..., Row]
    arguments: tuple[Any, ...]
    about: Mapping[str, Any] = field(default_factory=dict)


def made_with(*settings: Any) -> dict[str, str]:
    """What `about` says of settings, JSON values: a digest.

    Args:
        *settings: of the job.
    """
    text = json.dumps(settings, sort_keys=True)
    return {"made_with": hashlib.sha256(text.encode()).hexdigest()[:16]}


def make_rows(
    rows: Path | str, jobs: Sequence[Job], log: Callable[[Row], None], processes: int | None = None
) -> list[Row]:
    """Makes the rows that are not there yet; interrupted, it is gone on with.

    Args:
        rows: file that grows by a row of JSON for each job.
        jobs: in the order in which they are begun.
        log: takes each new row.
        processes: at once; default: one per core.

    Returns:
        All rows of the file.

    Raises:
        UserError: when the file has a row that was made from something else.
        Exception: what the first job raised that could not make its row, once all others are done.
    """
    # One thread each, so that processor time is the same for all, whatever else runs.
    os.environ |= dict.fromkeys(_THREADS, "1")
    pool = ProcessPoolExecutor(
        processes or os.cpu_count(), mp_context=get_context("spawn"), max_tasks_per_child=1
    )
    with Journal(rows) as journal, pool:
        todo = _todo(rows, jobs, journal.records)
        running = {pool.submit(job.make, *job.arguments): job for job in todo}
        failed = []
        for finished in as_completed(running):
            if finished.exception() is not None:
                failed.append(finished)  # the others' hours of work are not lost for it
                continue
            job = running[finished]
            row = {"method": job.method, "seed": job.seed, **job.about, **finished.result()}
            journal.append(row)
            log(row)
        for one in failed:
            one.result()
        return list(journal.records)


def _todo(rows: Path | str, jobs: Sequence[Job], there: Sequence[Row]) -> list[Job]:
    """The jobs whose row is not there yet."""
    by_name = {(row["method"], row["seed"]): row for row in there}
    todo = []
    for job in jobs:
        row = by_name.get((job.method, job.seed))
        if row is None:
            todo.append(job)
        elif any(row.get(name) != value for name, value in job.about.items()):
            raise UserError(
                f"'{rows}': the row of {job.method}, seed {job.seed} was made from another "
                f"{' and '.join(job.about)}; delete the file, or name another --results"
            )
    return todo
