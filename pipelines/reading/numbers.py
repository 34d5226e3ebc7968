"""Turns whatever a column holds into numbers, and says which rows could not be."""

from datetime import UTC, datetime

import pyarrow as pa
import pyarrow.compute as pc

_MISSING = r"(?i)^\s*(null|na|none|\\n|[+-]?nan)?\s*$"
"""What numeric columns of public logs write for a missing value."""
_NUMBER = r"^\s*[+-]?(\d+(\.\d*)?|\.\d+)([eE][+-]?\d+)?\s*$"


def to_numbers(column: pa.Array, times: bool = False) -> tuple[pa.Array, pa.Array]:
    """Reads a column as float64; what a value gives does not depend on the values beside it.

    Args:
        column: strings, numbers, booleans or timestamps.
        times: also read dates in ISO 8601, as seconds since 1970; without a zone they count as UTC.

    Returns:
        The numbers (null where missing) and which rows are neither a finite number nor missing.

    Raises:
        pa.ArrowNotImplementedError: for a type that is none of these.
    """
    kind = column.type
    if pa.types.is_timestamp(kind) or pa.types.is_date(kind):
        return _seconds(column.cast(pa.timestamp("us"), safe=False)), _none_bad(column)
    if pa.types.is_boolean(kind):
        column = column.cast(pa.int8())
    if pa.types.is_primitive(column.type) or pa.types.is_decimal(kind) or pa.types.is_null(kind):
        return _finite(column.cast(pa.float64(), safe=False))
    raw = column.cast(pa.binary())
    try:
        return _finite(raw.cast(pa.string()).cast(pa.float64()))
    except pa.ArrowInvalid:
        return _sift(raw, times)  # some row is no number: find out which


def _sift(raw: pa.Array, times: bool) -> tuple[pa.Array, pa.Array]:
    raw = pc.if_else(pc.match_substring_regex(raw, _MISSING), pa.scalar(None, pa.binary()), raw)
    if times:
        try:
            return _seconds(raw.cast(pa.string()).cast(pa.timestamp("us"))), _none_bad(raw)
        except pa.ArrowInvalid:
            pass
    numeric = pc.fill_null(pc.match_substring_regex(raw, _NUMBER), False)
    trimmed = pc.utf8_trim_whitespace(_only(raw, numeric).cast(pa.string()))
    numbers, infinite = _finite(trimmed.cast(pa.float64()))
    other = pc.and_(raw.is_valid(), pc.invert(numeric))
    if times:
        dates = _dates(_only(raw, other))
        numbers, other = pc.coalesce(numbers, dates), pc.and_(other, dates.is_null())
    return numbers, pc.or_(infinite, other)


def _only(raw: pa.Array, chosen: pa.Array) -> pa.Array:
    return pc.if_else(chosen, raw, pa.scalar(None, pa.binary()))


def _dates(raw: pa.Array) -> pa.Array:
    """Seconds since 1970, null for what is no date."""
    coded = raw.dictionary_encode()
    return pa.array([_date(text) for text in coded.dictionary.to_pylist()], pa.float64()).take(coded.indices)


def _date(raw: bytes) -> float | None:
    try:
        date = datetime.fromisoformat(raw.decode().strip())
    except ValueError:
        return None
    return (date if date.tzinfo else date.replace(tzinfo=UTC)).timestamp()


def _seconds(times: pa.Array) -> pa.Array:
    return pc.divide(times.cast(pa.timestamp("us")).cast(pa.int64()).cast(pa.float64()), 1e6)


def _finite(numbers: pa.Array) -> tuple[pa.Array, pa.Array]:
    """NaN is a missing value; an infinity is none."""
    numbers = pc.if_else(pc.fill_null(pc.is_nan(numbers), False), pa.scalar(None, pa.float64()), numbers)
    infinite = pc.fill_null(pc.is_inf(numbers), False)
    return numbers, infinite


def _none_bad(column: pa.Array) -> pa.Array:
    return pa.repeat(pa.scalar(False), len(column))
