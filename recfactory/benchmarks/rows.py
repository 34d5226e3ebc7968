"""Rows of a benchmark, each made by a process of one thread, in a file that grows row by row."""

import os
from collections.abc import Callable, Sequence
from concurrent.futures import ProcessPoolExecutor, as_completed
from dataclasses import dataclass
from multiprocessing import get_context
from pathlib import Path
from typing import Any

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
    """

    method: str
    seed: int
    make: Callable[..., Row]
    arguments: tuple[Any, ...]


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
        Exception: what the first job raised that could not make its row, once all others are done.
    """
    # One thread each, so that processor time is the same for all, whatever else runs.
    os.environ |= dict.fromkeys(_THREADS, "1")
    pool = ProcessPoolExecutor(
        processes or os.cpu_count(), mp_context=get_context("spawn"), max_tasks_per_child=1
    )
    with Journal(rows) as journal, pool:
        done = {(row["method"], row["seed"]) for row in journal.records}
        running = {
            pool.submit(job.make, *job.arguments): job for job in jobs if (job.method, job.seed) not in done
        }
        failed = []
        for finished in as_completed(running):
            if finished.exception() is not None:
                failed.append(finished)  # the others' hours of work are not lost for it
                continue
            job = running[finished]
            row = {"method": job.method, "seed": job.seed, **finished.result()}
            journal.append(row)
            log(row)
        for one in failed:
            one.result()
        return list(journal.records)
