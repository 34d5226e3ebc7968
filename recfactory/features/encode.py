"""Encodes validated rows with Arrow and NumPy; `recfactory.features.graph` does the same in TensorFlow."""

from typing import Any

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.compute as pc

from recfactory.features.packed import Encoded, Floats, Ints
from recfactory.features.spec import FeatureSpec
from recfactory.schema.columns import Categorical, Dense


class Encoder:
    """Turns validated rows into the matrices a model reads.

    Args:
        spec: of the features.
    """

    def __init__(self, spec: FeatureSpec) -> None:
        self.spec = spec
        self.layout = spec.layout
        self._vocabularies = {
            name: pa.array(values, pa.binary()) for name, values in spec.vocabularies.items()
        }

    def encode(self, batch: pa.RecordBatch) -> Encoded:
        """Encodes a batch of validated rows (see `pipelines.reading.rows.Rows`)."""
        schema = self.spec.schema
        dense = np.empty((len(batch), len(schema.dense)), dtype=np.float32)
        for place, column in enumerate(schema.dense):
            dense[:, place] = self._dense(batch.column(column.name), column)
        ids = np.empty((len(batch), self.layout.slots), dtype=np.int32)
        for categorical, field in zip(schema.categorical, self.layout.fields, strict=True):
            local = self._local_ids(batch.column(field.name), categorical, field.slots)
            ids[:, field.start : field.start + field.slots] = local + np.int32(field.offset)
        ones = np.ones(len(batch), dtype=np.float32)
        weight = _floats(batch, "weight") if schema.weight else ones
        truth = _floats(batch, "truth") if schema.truth else None
        return Encoded(dense, ids, _floats(batch, "label"), weight, truth)

    def _dense(self, values: pa.Array, column: Dense) -> Floats:
        present = values.is_valid().to_numpy(zero_copy_only=False)
        x = pc.fill_null(values, 0.0).to_numpy().astype(np.float64)
        if column.transform == "log":
            x = np.log1p(np.maximum(x, 0.0))
        elif column.transform == "standardize":
            mean, std = self.spec.mean_and_std(column.name)
            x = (x - mean) / std
        return np.where(present, x, 0.0).astype(np.float32)

    def _local_ids(self, values: pa.Array, column: Categorical, slots: int) -> Ints:
        if not column.multivalued:
            return self._ids_of(values, column).reshape(-1, 1)
        flat = self._ids_of(values.flatten(), column)
        lengths = pc.fill_null(pc.list_value_length(values), 0).to_numpy().astype(np.int64)
        starts = np.cumsum(lengths) - lengths
        places = np.arange(slots)
        taken = places < lengths[:, None]
        ids = np.zeros((len(values), slots), dtype=np.int32)
        ids[taken] = flat[(starts[:, None] + places)[taken]]
        return ids

    def _ids_of(self, values: pa.Array, column: Categorical) -> Ints:
        """Local ids: 0 missing, then out-of-vocabulary ids, then the vocabulary; or 0, then buckets."""
        present = values.is_valid().to_numpy(zero_copy_only=False)
        if column.encoding == "hash":
            return np.where(present, 1 + hash_buckets(values, column.buckets), 0).astype(np.int32)
        places = pc.index_in(values, value_set=self._vocabularies[column.name])
        known = places.is_valid().to_numpy(zero_copy_only=False)
        ids = pc.fill_null(places, 0).to_numpy() + np.int32(1 + column.oov_buckets)
        outside = present & ~known
        ids = np.where(present, ids, 0)
        if outside.any():
            ids[outside] = 1 + hash_buckets(values.filter(pa.array(outside)), column.oov_buckets)
        return ids.astype(np.int32)


def hash_buckets(values: pa.Array, buckets: int) -> npt.NDArray[np.int64]:
    """The bucket of each value by FarmHash, as `tf.strings.to_hash_bucket_fast` gives it.

    Args:
        values: binary; a null counts as the empty string.
        buckets: number of buckets.

    Returns:
        `(len(values),)` numbers from 0 to buckets - 1.
    """
    if buckets == 1 or len(values) == 0:
        return np.zeros(len(values), dtype=np.int64)
    import tensorflow as tf

    # Each distinct value once: Python strings are what costs here.
    coded = pc.fill_null(values, b"").dictionary_encode()
    distinct: Any = np.array(coded.dictionary.to_pylist(), dtype=object)
    hashed = tf.strings.to_hash_bucket_fast(tf.constant(distinct, tf.string), buckets).numpy()
    return np.asarray(hashed[coded.indices.to_numpy()], dtype=np.int64)


def _floats(batch: pa.RecordBatch, name: str) -> Floats:
    return np.asarray(batch.column(name).to_numpy(zero_copy_only=False), dtype=np.float32)
