"""What a sample tells about one column."""

import re
from dataclasses import dataclass
from datetime import datetime
from typing import Any

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.compute as pc

Floats = npt.NDArray[np.float64]


@dataclass(frozen=True)
class Profile:
    """One column of a sample.

    Args:
        name: the column's name.
        rows: rows of the sample.
        texts: the distinct values as text, most frequent first; missing and empty values left out.
        counts: how often each of `texts` occurs.
        numbers: `texts` as numbers, or None where one of them is no number.
        whole: whether all of them are whole numbers, written without leading zeros.
        readable: False for lists, structures and the like, which no role takes.
        dates: whether all of them are dates or times in ISO 8601.
    """

    name: str
    rows: int
    texts: tuple[str, ...]
    counts: npt.NDArray[np.int64]
    numbers: Floats | None
    whole: bool
    readable: bool
    dates: bool

    @property
    def distinct(self) -> int:
        """Number of different values."""
        return len(self.texts)

    @property
    def present(self) -> int:
        """Rows with a value."""
        return int(self.counts.sum())

    @property
    def words(self) -> list[str]:
        """The name cut into lower-case words: `userID` is user, id."""
        return [word.lower() for word in re.findall(r"[A-Z]?[a-z]+|[A-Z]+(?![a-z])|\d+", self.name)]


def profile(name: str, column: pa.ChunkedArray) -> Profile:
    """Measures a column of text, bytes or numbers."""
    kind = column.type
    if pa.types.is_dictionary(kind):
        column = column.cast(kind.value_type)
        kind = kind.value_type
    if pa.types.is_nested(kind):
        return Profile(name, len(column), (), np.zeros(0, np.int64), None, False, False, False)
    written = pa.types.is_string(kind) or pa.types.is_large_string(kind)
    if pa.types.is_binary(kind) or pa.types.is_large_binary(kind) or pa.types.is_fixed_size_binary(kind):
        # Bytes that are no UTF-8 are values all the same.
        tally = _tally(column)
        texts = [value.decode("utf-8", "replace") for value in tally[0]]
    else:
        tally = _tally(column)
        texts = [value if written else _text(value) for value in tally[0]]
    kept = [i for i, value in enumerate(texts) if value.strip() and value != "nan"]
    texts = [texts[i] for i in kept]
    numbers = _numbers(texts)
    whole = (
        numbers is not None
        and bool(np.all(numbers == np.floor(numbers)))
        and not any(re.match(r"-?0\d", value) for value in texts)
    )
    dates = bool(texts) and numbers is None and all(_is_date(value) for value in texts[:1000])
    return Profile(name, len(column), tuple(texts), tally[1][kept], numbers, whole, True, dates)


def _tally(column: pa.ChunkedArray) -> tuple[list[Any], npt.NDArray[np.int64]]:
    table = pc.value_counts(column.drop_null().combine_chunks())
    counts = np.asarray(table.field("counts"), np.int64)
    order = np.argsort(-counts, kind="stable")
    return table.field("values").take(pa.array(order)).to_pylist(), counts[order]


def _text(value: Any) -> str:
    if isinstance(value, datetime):
        return value.isoformat()
    return str(int(value)) if isinstance(value, bool) else str(value)


def _numbers(texts: list[str]) -> Floats | None:
    if not texts:
        return None
    try:
        numbers = pc.cast(pa.array([text.strip() for text in texts], pa.string()), pa.float64())
    except pa.ArrowInvalid:
        return None
    values = np.asarray(numbers, np.float64)
    return values if bool(np.all(np.isfinite(values))) else None


def _is_date(text: str) -> bool:
    if not re.match(r"\d{4}-\d\d-\d\d", text):
        return False
    try:
        datetime.fromisoformat(text.strip())
    except ValueError:
        return False
    return True
