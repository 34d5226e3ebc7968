"""Synthetic click logs, Criteo-like, whose true click probabilities are known."""

from dataclasses import dataclass
from functools import lru_cache

import numpy as np
import numpy.typing as npt
import pyarrow as pa

from recfactory.data.synthetic_truth import SIZES, planted
from recfactory.errors import UsageError
from recfactory.metrics import auc, logloss
from recfactory.schema.columns import Categorical, Dense, Label, Schema, Split

PREFIX = "synthetic:"
BLOCK = 8192
"""Rows drawn from one random stream; any cut into batches gives the same rows."""
START, DAYS = 1_700_000_000, 7
DENSE = tuple(f"I{i}" for i in range(1, 14))
CATEGORICAL = tuple(f"C{i}" for i in range(1, 27))
_SPREAD = np.array([0.9, 1.4, 1.2, 1.0, 1.6, 1.3, 0.8, 1.1, 1.5, 0.7, 0.9, 1.0, 1.2], np.float32)[:, None]
_LEVEL = np.array([1.5, 3.0, 2.5, 2.0, 7.0, 4.5, 2.5, 2.8, 4.7, 1.2, 1.6, 1.3, 2.1], np.float32)[:, None]
_DENSE_MISSING = np.array([45, 0, 21, 22, 3, 22, 4, 0, 4, 45, 4, 30, 22], np.float32)[:, None] / 100
_MISSING = np.array(
    [0, 0, 3, 3, 0, 12, 0, 0, 0, 0, 0, 3, 0, 0, 0, 3, 0, 0, 10, 0, 3, 30, 0, 3, 20, 20], np.float32
)
_CATEGORICAL_MISSING = _MISSING[:, None] / 100


@dataclass(frozen=True)
class SyntheticSource:
    """A click log of `rows` rows, each a pure function of the seed and its number.

    Args:
        rows: number of rows.
        seed: of the planted structure and of the rows.
    """

    rows: int = 200_000
    seed: int = 1

    def schema(self) -> Schema:
        """What the columns are for."""
        return Schema(
            name="synthetic",
            label=Label("label"),
            dense=tuple(Dense(name, "log") for name in DENSE),
            categorical=tuple(Categorical(name, min_count=2) for name in CATEGORICAL),
            split=Split(by="time"),
            timestamp="timestamp",
            truth="truth",
            slices=("C9",),
        )

    def batch(self, first_row: int, count: int) -> pa.RecordBatch:
        """Some of the rows.

        Args:
            first_row: number of the first one, from 0.
            count: how many; fewer come where the log ends.

        Returns:
            label float32, I1..I13 float32 and C1..C26 binary (8 hex digits), both with nulls, timestamp int64
            (seconds, rising) and truth float32 (the probability the label was drawn with).
        """
        stop = min(first_row + count, self.rows)
        blocks = []
        for number in range(first_row // BLOCK, -(-stop // BLOCK)):
            begin = number * BLOCK
            low, high = max(first_row - begin, 0), min(stop - begin, BLOCK)
            blocks.append(self._block(number).slice(low, high - low))
        if not blocks:
            return self._block(0).slice(0, 0)
        return blocks[0] if len(blocks) == 1 else pa.concat_batches(blocks)

    def _block(self, number: int) -> pa.RecordBatch:
        draw = np.random.Generator(np.random.Philox(key=np.array([self.seed, number], np.uint64)))
        effects = planted(self.seed)
        normal = draw.standard_normal((len(DENSE), BLOCK), np.float32)
        missing = draw.random((len(DENSE), BLOCK), np.float32) < _DENSE_MISSING
        counts = np.floor(np.exp(_LEVEL + _SPREAD * normal))
        # What the truth sees is what a model can see: the rounded count, not the normal behind it.
        scaled = np.where(missing, np.float32(0), (np.log1p(counts) - _LEVEL) / _SPREAD)
        ids = np.empty((len(CATEGORICAL), BLOCK), np.int64)
        chance = draw.random((len(CATEGORICAL), BLOCK))
        for column, cumulative in enumerate(effects.cumulative):
            ids[column] = np.minimum(np.searchsorted(cumulative, chance[column]), SIZES[column] - 1) + 1
        ids[draw.random((len(CATEGORICAL), BLOCK), np.float32) < _CATEGORICAL_MISSING] = 0
        truth = (1 / (1 + np.exp(-effects.logit(scaled, ids).astype(np.float64)))).astype(np.float32)
        label = (draw.random(BLOCK, np.float32) < truth).astype(np.float32)
        rows = np.arange(number * BLOCK, (number + 1) * BLOCK, dtype=np.int64)
        timestamp = START + rows * (DAYS * 86400) // self.rows
        texts = _texts(self.seed)
        columns = {
            "label": pa.array(label),
            **{name: pa.array(counts[i], mask=missing[i]) for i, name in enumerate(DENSE)},
            **{name: _binary(texts[i][ids[i]], ids[i] != 0) for i, name in enumerate(CATEGORICAL)},
            "timestamp": pa.array(timestamp),
            "truth": pa.array(truth),
        }
        return pa.RecordBatch.from_pydict(columns)


def parse(text: str) -> SyntheticSource:
    """Reads `synthetic:rows=200000,seed=1`; both keys may be left out.

    Raises:
        UsageError: for an unknown key or a value out of range.
    """
    limits = {"rows": 1, "seed": 0}
    values: dict[str, int] = {}
    for part in filter(None, text.removeprefix(PREFIX).split(",")):
        key, _, value = part.partition("=")
        if key not in limits:
            raise UsageError(f"'{text}': unknown key '{key}'; write {PREFIX}rows=200000,seed=1")
        if not (value.isascii() and value.isdecimal()) or not limits[key] <= int(value) < 2**63:
            raise UsageError(f"'{text}': {key} must be a whole number from {limits[key]}, not '{value}'")
        values[key] = int(value)
    return SyntheticSource(**values)


def best_possible(truth: npt.ArrayLike, label: npt.ArrayLike) -> dict[str, float]:
    """The metrics of a model that knows the true probabilities: what no model can beat but by luck.

    Args:
        truth: `(rows,)` true click probabilities.
        label: `(rows,)` 0 or 1.

    Returns:
        `auc` and `logloss`.
    """
    return {"auc": auc(label, truth), "logloss": logloss(label, truth)}


@lru_cache(maxsize=4)
def _texts(seed: int) -> tuple[npt.NDArray[np.uint64], ...]:
    """For each categorical column its values' texts, 8 ASCII bytes seen as one integer; index 0 is unused."""
    tables = []
    for column, size in enumerate(SIZES):
        # An odd multiplier permutes the 32-bit integers, so no two values of a column share a text.
        start = (seed * 26 + column + 1) * 0x9E3779B97F4A7C15 >> 16
        texts = b"".join(b"%08x" % ((start + value * 2654435761) % 2**32) for value in range(size + 1))
        tables.append(np.frombuffer(texts, np.uint64))
    return tuple(tables)


def _binary(texts: npt.NDArray[np.uint64], valid: npt.NDArray[np.bool_]) -> pa.Array:
    """An Arrow array of 8-byte values without a Python object a value."""
    offsets = np.concatenate([np.zeros(1, np.int32), np.cumsum(valid, dtype=np.int32) * np.int32(8)])
    bitmap = np.packbits(valid, bitorder="little")
    data = np.ascontiguousarray(texts[valid])
    return pa.Array.from_buffers(
        pa.binary(), len(texts), [pa.py_buffer(bitmap), pa.py_buffer(offsets), pa.py_buffer(data)]
    )
