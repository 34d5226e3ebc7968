"""Counts what the training rows hold: vocabularies, numeric statistics, rows; merging is exact."""

from dataclasses import dataclass, field
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from recfactory.schema.columns import SPLITS, Categorical, Schema

COUNTS = pa.schema([("value", pa.binary()), ("count", pa.int64())])


def count_values(values: pa.Array) -> pa.Table:
    """How often each value stands in a binary column; missing ones are not counted."""
    counted = pc.value_counts(values.drop_null())
    return pa.table([counted.field(0), counted.field(1)], schema=COUNTS)


def merge_counts(tables: list[pa.Table]) -> pa.Table:
    """The sum of several counts."""
    if len(tables) == 1:
        return tables[0]
    merged = pa.concat_tables(tables).group_by("value", use_threads=False).aggregate([("count", "sum")])
    return pa.table([merged.column("value"), merged.column("count_sum")], schema=COUNTS)


def vocabulary(counts: pa.Table, column: Categorical) -> tuple[bytes, ...]:
    """The values to keep: the most frequent first, ties by their bytes.

    A value with a line break cannot stand in a vocabulary file and counts as out of vocabulary.
    """
    kept = counts.filter(pc.greater_equal(counts.column("count"), column.min_count))
    kept = kept.filter(pc.invert(pc.match_substring(kept.column("value"), b"\n")))
    order = pc.sort_indices(kept, sort_keys=[("count", "descending"), ("value", "ascending")])
    return tuple(kept.column("value").take(order[: column.max_size]).to_pylist())


@dataclass(frozen=True)
class Moments:
    """Statistics of a numeric column over some rows.

    Args:
        count: rows with a value.
        missing: rows without.
        mean: of the values.
        m2: sum of squared differences from the mean.
        low: smallest value.
        high: largest value.
    """

    count: int = 0
    missing: int = 0
    mean: float = 0.0
    m2: float = 0.0
    low: float = float("inf")
    high: float = float("-inf")

    @staticmethod
    def of(values: pa.Array) -> "Moments":
        """The statistics of a float column."""
        x = values.drop_null().to_numpy().astype(np.float64)
        if len(x) == 0:
            return Moments(missing=len(values))
        mean = float(x.mean())
        m2 = float(np.square(x - mean).sum())
        return Moments(len(x), len(values) - len(x), mean, m2, float(x.min()), float(x.max()))

    def merge(self, other: "Moments") -> "Moments":
        """Both as one (Chan et al. 1979, updating formulae)."""
        count = self.count + other.count
        missing = self.missing + other.missing
        if count == 0:
            return Moments(missing=missing)
        delta = other.mean - self.mean
        mean = self.mean + delta * other.count / count
        m2 = self.m2 + other.m2 + delta * delta * self.count * other.count / count
        return Moments(count, missing, mean, m2, min(self.low, other.low), max(self.high, other.high))

    def report(self) -> dict[str, Any]:
        """The statistics as they are written."""
        if self.count == 0:
            return {"count": 0, "missing": self.missing, "mean": None, "std": None, "min": None, "max": None}
        std = float(np.sqrt(self.m2 / self.count))
        return {
            "count": self.count, "missing": self.missing, "mean": self.mean, "std": std,
            "min": self.low, "max": self.high,
        }  # fmt: skip


@dataclass(frozen=True)
class BlockSummary:
    """What one block adds; small, so that all of them can be gathered and merged in block order.

    Args:
        name: of the block.
        rows: by split.
        clicks: by split.
        rejected: rows by reason.
        dense: moments by column, of training rows.
        missing: training rows without a value, by categorical column.
        slots: most values of a training row, by multi-valued column.
    """

    name: str
    rows: dict[str, int]
    clicks: dict[str, float]
    rejected: dict[str, int]
    dense: dict[str, Moments] = field(default_factory=dict)
    missing: dict[str, int] = field(default_factory=dict)
    slots: dict[str, int] = field(default_factory=dict)


def count_block(
    name: str, batch: pa.RecordBatch, split: Any, rejected: dict[str, int], schema: Schema
) -> tuple[BlockSummary, dict[str, pa.Table]]:
    """Counts a block: the summary, and the value counts of each vocabulary column.

    Args:
        name: of the block.
        batch: validated rows.
        split: `(rows,)` place in `SPLITS`.
        rejected: refused rows by reason.
        schema: of the rows.
    """
    labels = batch.column("label").to_numpy()
    rows = {s: int((split == i).sum()) for i, s in enumerate(SPLITS)}
    clicks = {s: float(labels[split == i].sum()) for i, s in enumerate(SPLITS)}
    train = batch if rows["train"] == len(batch) else batch.filter(pa.array(split == 0))
    dense = {column.name: Moments.of(train.column(column.name)) for column in schema.dense}
    missing, slots, counts = {}, {}, {}
    for column in schema.categorical:
        values = train.column(column.name)
        if column.multivalued:
            lengths = pc.fill_null(pc.list_value_length(values), 0).to_numpy()
            missing[column.name] = int((lengths == 0).sum())
            slots[column.name] = int(lengths.max(initial=1))
            values = values.flatten()
        else:
            missing[column.name] = values.null_count
        if column.encoding == "vocabulary":
            counts[column.name] = count_values(values)
    return BlockSummary(name, rows, clicks, rejected, dense, missing, slots), counts
