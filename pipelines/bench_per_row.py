"""A features pipeline as it is commonly written, one Python dict a row; `pipelines.bench` times it."""

import csv
from collections.abc import Iterator
from pathlib import Path

import apache_beam as beam
import tensorflow as tf
from apache_beam.io.tfrecordio import WriteToTFRecord
from apache_beam.transforms.combiners import Count

from pipelines.runner import make_pipeline, run_pipeline
from recfactory.data.synthetic import CATEGORICAL, DENSE

_COLUMNS = ("label", *DENSE, *CATEGORICAL)
_MIN_COUNT = 10


def run_per_row(file: Path, out: Path) -> None:
    """Parses a Criteo-like file, counts its values and writes tf.Examples without the rare ones.

    Args:
        file: tab-separated, without a header.
        out: beginning of the names of the TFRecord files.
    """
    pipeline = make_pipeline()
    rows = pipeline | beam.io.ReadFromText(str(file)) | beam.Map(_parse)
    vocabulary = (
        rows
        | beam.FlatMap(_values)
        | Count.PerElement()
        | beam.Filter(lambda counted: counted[1] >= _MIN_COUNT)
    )
    _ = (
        rows
        | beam.Map(_encode, beam.pvalue.AsDict(vocabulary))
        | WriteToTFRecord(str(out), file_name_suffix=".tfrecord")
    )
    run_pipeline(pipeline)


def _parse(line: str) -> dict[str, str]:
    (values,) = csv.reader([line], delimiter="\t")
    return dict(zip(_COLUMNS, values, strict=True))


def _values(row: dict[str, str]) -> Iterator[tuple[str, str]]:
    return ((name, row[name]) for name in CATEGORICAL if row[name])


def _encode(row: dict[str, str], vocabulary: dict[tuple[str, str], int]) -> bytes:
    example = tf.train.Example()
    feature = example.features.feature
    for name in ("label", *DENSE):
        if row[name]:
            feature[name].float_list.value.append(float(row[name]))
    for name in CATEGORICAL:
        value = row[name] if (name, row[name]) in vocabulary else ""
        feature[name].bytes_list.value.append(value.encode())
    return bytes(example.SerializeToString())
