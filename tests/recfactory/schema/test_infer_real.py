"""The proposals for three real click logs, checked by hand."""

from pathlib import Path

import pyarrow as pa
import pyarrow.csv as csv
import pytest

from recfactory.schema import Categorical, FileFormat, Label, Schema, Split, preset
from recfactory.schema.infer import infer_schema

DATA = Path(__file__).parents[4] / "shared" / "data"
pytestmark = pytest.mark.skipif(not DATA.is_dir(), reason=f"the real data sets are not at {DATA}")


def propose(file: str, files: list[str]) -> tuple[Schema, list[str], pa.Table]:
    path = DATA / file
    header = csv.open_csv(path).schema.names
    options = csv.ConvertOptions(column_types={name: pa.binary() for name in header})
    table = csv.read_csv(path, convert_options=options).slice(0, 100_000)
    schema, reasons = infer_schema(table, "x", format=FileFormat(), files=files)
    return schema, reasons, table


def test_frappe():
    schema, reasons, table = propose(
        "frappe_x1/train.csv.gz", ["train.csv.gz", "valid.csv.gz", "test.csv.gz"]
    )
    assert schema.label == Label("label")
    assert schema.dense == ()
    assert tuple(schema.features) == tuple(preset("frappe", table.column_names).features)
    assert schema.split == Split("files")
    assert len(reasons) == 11 + 2


def test_kdd12():
    schema, reasons, table = propose("kdd12/kdd12.csv.gz", ["kdd12.csv.gz"])
    known = preset("kdd12", table.column_names)
    assert schema.label == Label("click")
    assert schema.dense == known.dense
    assert set(schema.categorical) == set(known.categorical)
    assert schema.split == known.split
    assert any(line.startswith("user_id: categorical, ") and "its name says id" in line for line in reasons)


def test_ml100k():
    schema, reasons, table = propose("ml100k/ml100k.csv.gz", ["ml100k.csv.gz"])
    known = preset("movielens", table.column_names)
    assert schema.label == known.label == Label("rating", "> 3")
    assert schema.dense == known.dense
    assert list(schema.features) == list(known.features)
    assert schema.categorical[-1] == Categorical("class", separator=" ", max_values=6)
    assert (schema.timestamp, schema.split) == ("timestamp", known.split)
    assert "timestamp: the timestamp, its name and its values say so (seconds since 1970)" in reasons
