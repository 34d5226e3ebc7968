"""Makes validated rows out of raw ones: the columns a raw tf.Example holds, in their final types."""

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.compute as pc

from pipelines.reading.blocks import Block, Rejected
from pipelines.reading.numbers import to_numbers
from recfactory.schema.columns import Categorical, Schema

_COMPARE = {">": np.greater, ">=": np.greater_equal, "<": np.less, "<=": np.less_equal, "==": np.equal}
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
        labelled: False where rows to be scored need no label; the label, weight and truth are then left out.
    """
    checks = _Checks(len(block.lines))
    columns: dict[str, pa.Array] = {}
    for dense in schema.dense:
        numbers = checks.numbers(block, dense.name)
        too_large = pc.fill_null(pc.greater(pc.abs(numbers), _FLOAT_MAX), False)
        checks.refuse(too_large, f"column '{dense.name}' is beyond float32", block, dense.name)
        columns[dense.name] = pc.if_else(too_large, None, numbers).cast(pa.float32())
    for categorical in schema.categorical:
        columns[categorical.name] = _values(_column(block, categorical.name), categorical)
    for name in schema.slices:
        if name not in columns:
            columns[name] = _strings(_column(block, name))
    if labelled:
        columns["label"] = _label(block, schema, checks)
        if schema.weight:
            weight = checks.numbers(block, schema.weight)
            bad = pc.fill_null(pc.less(weight, 0), True)
            checks.refuse(bad, f"weight '{schema.weight}' is missing or negative", block, schema.weight)
            columns["weight"] = weight.cast(pa.float32(), safe=False)
        if schema.truth:
            columns["truth"] = checks.numbers(block, schema.truth).cast(pa.float32(), safe=False)
        if schema.timestamp:
            time = checks.numbers(block, schema.timestamp, times=True)
            checks.refuse(
                pc.is_null(time), f"timestamp '{schema.timestamp}' is missing", block, schema.timestamp
            )
            columns["timestamp"] = pc.floor(time).cast(pa.int64())
    split_value = None
    if labelled and schema.split.column:
        split_value = _strings(_column(block, schema.split.column))
    batch = pa.RecordBatch.from_pydict(columns)
    return _keep(block, batch, split_value, checks)


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
        numbers, bad = to_numbers(_column(block, column), times)
        self.refuse(bad, f"column '{column}' is not a number", block, column)
        return numbers


def _column(block: Block, name: str) -> pa.Array:
    column = block.table.column(name).combine_chunks()
    return column.cast(column.type.value_type) if pa.types.is_dictionary(column.type) else column


def _strings(column: pa.Array) -> pa.Array:
    """Values as bytes; an empty string is a missing value."""
    if not pa.types.is_binary(column.type):
        column = column.cast(pa.string()).cast(pa.binary())
    return pc.if_else(pc.equal(pc.binary_length(column), 0), pa.scalar(None, pa.binary()), column)


def _values(column: pa.Array, categorical: Categorical) -> pa.Array:
    if not categorical.multivalued:
        return _strings(column)
    if pa.types.is_list(column.type) or pa.types.is_large_list(column.type):
        return column.cast(pa.list_(pa.string())).cast(pa.list_(pa.binary()))
    parts = pc.split_pattern(pc.fill_null(_strings(column), b""), pattern=categorical.separator)
    return _without_empty(parts)


def _without_empty(lists: pa.Array) -> pa.Array:
    values = lists.flatten()
    filled = pc.greater(pc.binary_length(values), 0)
    if pc.all(filled).as_py():
        return lists
    before = np.concatenate([[0], np.cumsum(filled.to_numpy(zero_copy_only=False))])
    offsets = before[lists.offsets.to_numpy() - lists.offsets[0].as_py()].astype(np.int32)
    return pa.ListArray.from_arrays(pa.array(offsets, pa.int32()), values.filter(filled))


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
