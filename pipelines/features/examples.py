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
        lists, places = _large(values.filter(filled)), pc.cumulative_sum(filled.cast(pa.int64()))
        places = pc.if_else(filled, pc.subtract(places, 1), None)
    else:
        coded = values.dictionary_encode()
        distinct, places = coded.dictionary, coded.indices
        if pa.types.is_binary(distinct.type):
            distinct = distinct.cast(pa.large_binary())
        lists = pa.LargeListArray.from_arrays(np.arange(len(distinct) + 1, dtype=np.int64), distinct)
    return pc.fill_null(_entries(name, lists).take(places), b"")


def _large(lists: pa.Array) -> pa.Array:
    offsets = np.concatenate([[0], np.cumsum(pc.list_value_length(lists).to_numpy(), dtype=np.int64)])
    return pa.LargeListArray.from_arrays(offsets, lists.flatten().cast(pa.large_binary()))


def _entries(name: str, lists: pa.Array) -> pa.Array:
    if len(lists) == 0:
        return pa.array([], pa.large_binary())
    examples = RecordBatchToExamplesEncoder().encode(pa.RecordBatch.from_arrays([lists], [name]))
    return _without_headers(pa.array(examples, pa.large_binary()))


def _without_headers(examples: pa.Array) -> pa.Array:
    """Cuts off the tag and length around the only feature; each example has one."""
    lengths = pc.binary_length(examples)
    end = pc.max(lengths).as_py()  # without it Arrow fails
    bodies = pc.binary_slice(examples, 2, end)
    for digits in range(1, 5):
        longer = pc.greater(lengths, 1 + digits + (1 << 7 * digits) - 1)
        if not pc.any(longer).as_py():
            break
        bodies = pc.if_else(longer, pc.binary_slice(examples, 2 + digits, end), bodies)
    return bodies


def _varint(number: int) -> bytes:
    """Protobuf's base-128 integer."""
    parts = []
    while number > 0x7F:
        parts.append((number & 0x7F) | 0x80)
        number >>= 7
    return bytes([*parts, number])
