"""Turns whatever a column holds into numbers, and says which rows could not be."""

import pyarrow as pa
import pyarrow.compute as pc

MISSING_WORDS = pa.array([b"NULL", b"null", b"NA", b"NaN", b"nan", b"None", b"\\N"], pa.binary())
"""What numeric columns of public logs write for a missing value, beside the empty string."""

_NUMBER = r"^\s*[+-]?(\d+(\.\d*)?|\.\d+)([eE][+-]?\d+)?\s*$"


def to_numbers(column: pa.Array, times: bool = False) -> tuple[pa.Array, pa.Array]:
    """Reads a column as float64.

    Args:
        column: strings, numbers, booleans or timestamps.
        times: also read dates in ISO 8601, as seconds since 1970.

    Returns:
        The numbers (null where missing) and which rows are neither a finite number nor missing.
    """
    kind = column.type
    if pa.types.is_timestamp(kind) or pa.types.is_date(kind):
        numbers = column.cast(pa.timestamp("us")).cast(pa.int64())
        return pc.divide(numbers.cast(pa.float64()), 1e6), _none_bad(column)
    if (
        pa.types.is_integer(kind)
        or pa.types.is_floating(kind)
        or pa.types.is_boolean(kind)
        or pa.types.is_null(kind)
    ):
        if pa.types.is_boolean(kind):
            column = column.cast(pa.int8())
        return _finite(column.cast(pa.float64()))
    if pa.types.is_decimal(kind):
        return _finite(column.cast(pa.float64()))
    raw = column.cast(pa.binary())
    try:
        return _finite(_parse(raw))
    except pa.ArrowInvalid:
        pass  # some row is no number: find out which
    raw = pc.if_else(pc.is_in(raw, MISSING_WORDS), pa.scalar(None, pa.binary()), raw)
    if times:
        try:
            return to_numbers(_text(raw).cast(pa.timestamp("us")))
        except pa.ArrowInvalid:
            pass
    good = pc.fill_null(pc.match_substring_regex(raw, _NUMBER), True)
    clean = _text(pc.if_else(good, raw, pa.scalar(None, pa.binary())))
    numbers, infinite = _finite(pc.utf8_trim_whitespace(clean).cast(pa.float64()))
    return numbers, pc.or_(infinite, pc.invert(good))


def _parse(raw: pa.Array) -> pa.Array:
    return _text(raw).cast(pa.float64())


def _text(raw: pa.Array) -> pa.Array:
    return raw.cast(pa.string())


def _finite(numbers: pa.Array) -> tuple[pa.Array, pa.Array]:
    """NaN is a missing value; an infinity is none."""
    numbers = pc.if_else(pc.fill_null(pc.is_nan(numbers), False), pa.scalar(None, pa.float64()), numbers)
    infinite = pc.fill_null(pc.is_inf(numbers), False)
    return numbers, infinite


def _none_bad(column: pa.Array) -> pa.Array:
    return pa.repeat(pa.scalar(False), len(column))
