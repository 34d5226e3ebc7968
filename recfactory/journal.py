"""A file that only grows: one JSON object a line, each on the disk before the next is written."""

import fcntl
import json
import os
from pathlib import Path
from types import TracebackType
from typing import Any

from recfactory.errors import UserError
from recfactory.files import sync

Record = dict[str, Any]


class Journal:
    """What happened, in order; the truth from which state is rebuilt.

    It is locked as long as it is open, so that two processes cannot write it. A last line that was torn by a
    crash is dropped; damage elsewhere is refused.

    Args:
        path: of the file; made when there is none.

    Raises:
        UserError: when another process holds it, or a line is damaged.
    """

    def __init__(self, path: Path | str) -> None:
        self.path = Path(path)
        self.path.parent.mkdir(parents=True, exist_ok=True)
        self._file = self.path.open("a+b")
        try:
            fcntl.flock(self._file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            self._file.close()
            raise UserError(f"'{path}' is being written by another process; wait for it or stop it") from None
        sync(self.path.parent)
        try:
            self.records = self._read()
        except UserError:
            self.close()
            raise

    def __enter__(self) -> "Journal":
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def close(self) -> None:
        """Lets others write it."""
        self._file.close()

    def append(self, record: Record) -> Record:
        """Adds a record; when this returns, it is on the disk.

        Args:
            record: JSON values; numbers must be finite.
        """
        self._file.write(json.dumps(record, allow_nan=False).encode() + b"\n")
        self._file.flush()
        os.fsync(self._file.fileno())
        self.records.append(record)
        return record

    def _read(self) -> list[Record]:
        self._file.seek(0)
        content = self._file.read()
        whole = content.rfind(b"\n") + 1
        if whole != len(content):
            self._file.truncate(whole)
        return [self._parse(number, line) for number, line in enumerate(content[:whole].splitlines(), 1)]

    def _parse(self, number: int, line: bytes) -> Record:
        try:
            record = json.loads(line)
        except ValueError:
            record = None
        if not isinstance(record, dict):
            start = line[:40].decode(errors="replace")
            raise UserError(
                f"'{self.path}' is damaged in line {number}, which starts with '{start}'; restore it, or "
                "delete the folder and start again"
            )
        return record
