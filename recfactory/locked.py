"""Work that one process at a time does."""

import fcntl
import os
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from recfactory.errors import UserError


@contextmanager
def sole(mark: Path, work: str) -> Iterator[None]:
    """Keeps other processes out of a job.

    Args:
        mark: a file of the job's folder.
        work: what the job is called, such as `training`.

    Raises:
        UserError: when another process is at it.
    """
    refusal = UserError(
        f"another process is at work on the {work} in '{mark.parent}'; wait for it or stop it"
    )
    with mark.open("rb+") as held:
        try:
            fcntl.flock(held, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            raise refusal from None
        # Whoever held it may have put another file in its place.
        if not mark.is_file() or not os.path.samestat(os.fstat(held.fileno()), mark.stat()):
            raise refusal
        yield


@contextmanager
def locked(folder: Path) -> Iterator[None]:
    """Keeps other workers out of a folder, which they find finished when they come in."""
    folder.parent.mkdir(parents=True, exist_ok=True)
    with folder.with_name(f"{folder.name}.lock").open("w") as lock:
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError:
            print(f"another worker is training '{folder}'; waiting for it", file=sys.stderr, flush=True)
            fcntl.flock(lock, fcntl.LOCK_EX)
        yield
