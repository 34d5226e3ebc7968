"""Writes down the rows that could not be used, and decides whether they are too many."""

import json
from collections.abc import Mapping
from pathlib import Path

from pipelines.reading.rows import Rows
from recfactory.errors import UserError
from recfactory.files import write_text


def write_rejected(folder: Path, file: str, rows: Rows) -> None:
    """Writes a block's rejected rows as JSON lines: file, line, reason, text.

    Args:
        folder: of all rejected rows.
        file: the file they stand in.
        rows: the block; nothing is written where all its rows are good.
    """
    if not rows.rejected:
        return
    records = [
        {"file": file, "line": row.line, "reason": row.reason, "text": row.text} for row in rows.rejected
    ]
    lines = "".join(json.dumps(record, ensure_ascii=False) + "\n" for record in records)
    write_text(folder / f"part-{rows.name}.jsonl", lines)


def check_rejected(good: int, rejected: Mapping[str, int], most: float, folder: Path) -> None:
    """Stops when more than a share of the rows was rejected.

    Args:
        good: rows that were used.
        rejected: rows that were not, by reason.
        most: the share that is allowed.
        folder: where the user finds them.

    Raises:
        UserError: when there are no rows at all, or too many were rejected.
    """
    refused = sum(rejected.values())
    if good + refused == 0:
        raise UserError("the data hold no rows")
    if refused > most * (good + refused):
        reason, count = max(rejected.items(), key=lambda item: item[1])
        raise UserError(
            f"{refused} of {good + refused} rows were rejected, more than --max-rejected {most:g} "
            f"allows; most often ({count}): {reason}; see '{folder}'"
        )
