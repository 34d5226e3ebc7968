"""Serializes validated rows as tf.Examples, byte for byte the same for the same rows.

tfx_bsl's encoder writes the features of a row in an order that changes from row to row and run to run
(a protobuf map has none). Here it serializes each column's distinct values, one feature at a time, and Arrow
joins the features of a row in the order of their names, without a Python object per value.
"""

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from tfx_bsl.coders.example_coder import RecordBatchToExamplesEncoder

_FEATURES_TAG = b"\x0a"
"""Field 1 of tf.Example, length-delimited."""


def to_examples(batch: pa.RecordBatch) -> pa.Array:
    """Serializes rows; a missing value is an absent feature.

    Args:
        batch: validated rows: numbers, binary values or lists of binary values.

    Returns:
        `(rows,)` serialized tf.Examples.
    """
    names = sorted(batch.schema.names, key=str.encode)
    features = [_serialize(name, batch.column(name)) for name in names]
    empty = pa.scalar(b"", pa.large_binary())
    body = pc.binary_join_element_wise(*features, empty)
    lengths = pc.binary_length(body).dictionary_encode()
    headers = [_FEATURES_TAG + _varint(length) for length in lengths.dictionary.to_pylist()]
    header = pa.array(headers, pa.large_binary()).take(lengths.indices)
    return pc.binary_join_element_wise(header, body, empty)


def _serialize(name: str, values: pa.Array) -> pa.Array:
    """Each row's entry of the feature map, empty where the value is missing."""
    if pa.types.is_list(values.type):
        filled = pc.fill_null(pc.greater(pc.list_value_length(values), 0), False)
        return pc.if_else(filled, _entries(name, _lists(values)), pa.scalar(b"", pa.large_binary()))
    coded = values.dictionary_encode()
    distinct = coded.dictionary
    if pa.types.is_binary(distinct.type):
        distinct = distinct.cast(pa.large_binary())
    one_each = pa.LargeListArray.from_arrays(np.arange(len(distinct) + 1, dtype=np.int64), distinct)
    return pc.fill_null(_entries(name, one_each).take(coded.indices), b"")


def _lists(values: pa.Array) -> pa.Array:
    lengths = pc.fill_null(pc.list_value_length(values), 0).to_numpy()
    offsets = np.concatenate([[0], np.cumsum(lengths, dtype=np.int64)])
    flat = values.flatten().cast(pa.large_binary())
    return pa.LargeListArray.from_arrays(offsets, flat)


def _entries(name: str, lists: pa.Array) -> pa.Array:
    if len(lists) == 0:
        return pa.array([], pa.large_binary())
    examples = RecordBatchToExamplesEncoder().encode(pa.RecordBatch.from_arrays([lists], [name]))
    return pa.array([_without_header(example) for example in examples], pa.large_binary())


def _without_header(example: bytes) -> bytes:
    """Cuts off the tag and length around the only feature."""
    place = 1
    while place < len(example) and example[place] & 0x80:
        place += 1
    return example[place + 1 :]


def _varint(number: int) -> bytes:
    """Protobuf's base-128 integer."""
    parts = []
    while number > 0x7F:
        parts.append((number & 0x7F) | 0x80)
        number >>= 7
    return bytes([*parts, number])
