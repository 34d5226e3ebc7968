"""Writes TFRecord files, whole or not at all."""

from collections.abc import Iterable
from pathlib import Path

import pyarrow as pa
import tensorflow as tf

from pipelines.features.examples import to_examples
from recfactory.features.packed import Encoded, blocks
from recfactory.files import whole_file


def write_examples(path: Path, batch: pa.RecordBatch) -> None:
    """Writes validated rows as tf.Examples."""
    _write(path, to_examples(batch).to_pylist())


def write_packed(path: Path, rows: Encoded) -> None:
    """Writes encoded rows as packed blocks."""
    _write(path, blocks(rows))


def _write(path: Path, records: Iterable[bytes]) -> None:
    with whole_file(path) as partial, tf.io.TFRecordWriter(str(partial)) as writer:
        for record in records:
            writer.write(record)
