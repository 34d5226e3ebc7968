"""Makes validated rows out of raw ones: the columns a raw tf.Example holds, in their final types."""

from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.compute as pc

from pipelines.reading.blocks import Block
from pipelines.reading.numbers import to_numbers
from pipelines.reading.text import Rejected
from recfactory.errors import UserError
from recfactory.schema.columns import Categorical, Schema

_COMPARE = {">": np.greater, ">=": np.greater_equal, "<": np.less, "<=": np.less_equal, "==": np.equal}
MOST_TIME = 2.0**62
"""Fits into an int64, whether seconds or nanoseconds since 1970."""
_FLOAT_MAX = float(np.finfo(np.float32).max)


@dataclass(frozen=True)
class Rows:
    """Validated rows.

    Args:
        name: of the block they come from.
        batch: dense columns float32 (null: missing), categorical columns binary or lists of binary (null
            or an empty list: missing), slice columns, and the roles `label`, `weight`, `timestamp`, `truth`.
        split_value: the split column's values, where the schema splits by one.
        lines: `(rows,)` line numbers.
        rejected: rows left out, in line order.
    """

    name: str
    batch: pa.RecordBatch
    split_value: pa.Array | None
    lines: npt.NDArray[np.int64]
    rejected: list[Rejected]


def validate(block: Block, schema: Schema, labelled: bool = True) -> Rows:
    """Checks every value of a block and converts it.

    Args:
        block: raw rows.
        schema: what the columns are for.
        labelled: False where rows to be scored need no label; only the features are then read.

    Raises:
        UserError: when a column holds something that can be no value, such as structures.
    """
    checks = _Checks(len(block.lines))
    columns: dict[str, pa.Array] = {}
    for dense in schema.dense:
        columns[dense.name] = checks.floats(block, dense.name)
    for categorical in schema.categorical:
        columns[categorical.name] = _values(block, categorical)
    if labelled:
        for name in schema.slices:
            if name not in columns:
                columns[name] = _strings(_column(block, name), name)
        columns["label"] = _label(block, schema, checks)
        if schema.weight:
            weight = checks.floats(block, schema.weight)
            bad = pc.fill_null(pc.less(weight, 0), True)
            checks.refuse(bad, f"weight '{schema.weight}' is missing or negative", block, schema.weight)
            columns["weight"] = weight
        if schema.truth:
            columns["truth"] = checks.floats(block, schema.truth)
        if schema.timestamp:
            columns["timestamp"] = _times(block, schema.timestamp, checks)
    split_value = None
    if labelled and schema.split.column:
        split_value = _strings(_column(block, schema.split.column), schema.split.column)
    batch = pa.RecordBatch.from_pydict(columns)
    return _keep(block, batch, split_value, checks)


def read_times(block: Block, column: str) -> pa.Array:
    """The timestamps of a block in whole seconds, those that `validate` would refuse left out."""
    return _times(block, column, _Checks(len(block.lines))).drop_null()


class _Checks:
    """Gathers which rows are refused, and for what; the first reason of a row counts."""

    def __init__(self, rows: int) -> None:
        self.bad = np.zeros(rows, dtype=bool)
        self.reasons: dict[int, tuple[str, str]] = {}

    def refuse(self, mask: pa.Array, reason: str, block: Block, column: str) -> None:
        if not pc.any(mask).as_py():
            return
        flags = mask.to_numpy(zero_copy_only=False)
        for row in np.flatnonzero(flags & ~self.bad):
            value = (
                block.table.column(column)[int(row)].as_py() if column in block.table.column_names else None
            )
            text = value.decode("utf-8", "replace") if isinstance(value, bytes) else str(value)
            self.reasons[int(row)] = (reason, text[:500])
        self.bad |= flags

    def numbers(self, block: Block, column: str, times: bool = False) -> pa.Array:
        """The column as float64; null also where it is refused."""
        values = _column(block, column)
        try:
            numbers, bad = to_numbers(values, times)
        except pa.ArrowNotImplementedError as error:
            raise _unusable(column, values) from error
        self.refuse(bad, f"column '{column}' is not a number", block, column)
        return pc.if_else(bad, None, numbers)

    def floats(self, block: Block, column: str) -> pa.Array:
        """The column as float32; null also where it is refused."""
        numbers = self.numbers(block, column)
        too_large = pc.fill_null(pc.greater(pc.abs(numbers), _FLOAT_MAX), False)
        self.refuse(too_large, f"column '{column}' is beyond float32", block, column)
        return pc.if_else(too_large, None, numbers).cast(pa.float32())


def _unusable(name: str, values: pa.Array) -> UserError:
    lists = pa.types.is_list(values.type) or pa.types.is_large_list(values.type)
    advice = "name it under multivalued" if lists else "convert it, or leave it out of the schema"
    return UserError(f"column '{name}' holds {'lists' if lists else values.type}; {advice}")


def _column(block: Block, name: str) -> pa.Array:
    column = block.table.column(name).combine_chunks()
    return column.cast(column.type.value_type) if pa.types.is_dictionary(column.type) else column


def _strings(column: pa.Array, name: str) -> pa.Array:
    """Values as bytes; an empty string is a missing value."""
    kind = column.type
    if pa.types.is_floating(kind):
        column = pc.if_else(pc.is_nan(column), None, column)
    if not pa.types.is_binary(kind):
        raw = pa.types.is_large_binary(kind) or pa.types.is_fixed_size_binary(kind)
        try:
            column = column.cast(pa.binary()) if raw else column.cast(pa.string()).cast(pa.binary())
        except pa.ArrowNotImplementedError as error:
            raise _unusable(name, column) from error
    return pc.if_else(pc.equal(pc.binary_length(column), 0), pa.scalar(None, pa.binary()), column)


def _values(block: Block, categorical: Categorical) -> pa.Array:
    name = categorical.name
    column = _column(block, name)
    if not categorical.multivalued:
        return _strings(column, name)
    if pa.types.is_list(column.type) or pa.types.is_large_list(column.type):
        parts, lengths = column.flatten(), pc.fill_null(pc.list_value_length(column), 0).to_numpy()
        if pa.types.is_dictionary(parts.type):
            parts = parts.cast(parts.type.value_type)
        return _lists(_strings(parts, name), lengths)
    split = pc.split_pattern(pc.fill_null(_strings(column, name), b""), pattern=categorical.separator)
    return _lists(_strings(split.flatten(), name), pc.list_value_length(split).to_numpy())


def _lists(parts: pa.Array, lengths: npt.NDArray[np.integer[Any]]) -> pa.Array:
    """Lists of the parts that are not null, `lengths` parts a row."""
    filled = parts.is_valid().to_numpy(zero_copy_only=False)
    before = np.concatenate([[0], np.cumsum(filled)])
    ends = before[np.concatenate([[0], np.cumsum(lengths)])].astype(np.int32)
    return pa.ListArray.from_arrays(pa.array(ends, pa.int32()), parts.drop_null())


def _times(block: Block, name: str, checks: _Checks) -> pa.Array:
    times = checks.numbers(block, name, times=True)
    checks.refuse(pc.is_null(times), f"timestamp '{name}' is missing", block, name)
    outside = pc.fill_null(pc.greater(pc.abs(times), MOST_TIME), False)
    checks.refuse(outside, f"timestamp '{name}' is out of range", block, name)
    return pc.floor(pc.if_else(outside, None, times)).cast(pa.int64())


def _label(block: Block, schema: Schema, checks: _Checks) -> pa.Array:
    name = schema.label.column
    numbers = checks.numbers(block, name)
    checks.refuse(pc.is_null(numbers), f"label '{name}' is missing", block, name)
    values = pc.fill_null(numbers, 0.0).to_numpy()
    if comparison := schema.label.comparison:
        sign, bound = comparison
        return pa.array(_COMPARE[sign](values, bound).astype(np.float32))
    neither = pa.array((values != 0) & (values != 1))
    checks.refuse(neither, f"label '{name}' is neither 0 nor 1", block, name)
    return pa.array(values.astype(np.float32))


def _keep(block: Block, batch: pa.RecordBatch, split_value: pa.Array | None, checks: _Checks) -> Rows:
    rejected = list(block.rejected)
    lines = block.lines
    if checks.reasons:
        rejected += [
            Rejected(int(lines[row]), reason, text) for row, (reason, text) in checks.reasons.items()
        ]
        good = pa.array(~checks.bad)
        batch = batch.filter(good)
        split_value = split_value.filter(good) if split_value is not None else None
        lines = lines[~checks.bad]
    return Rows(block.name, batch, split_value, lines, sorted(rejected, key=lambda row: row.line))
