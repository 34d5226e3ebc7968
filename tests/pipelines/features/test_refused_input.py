"""What cannot be used is told by file, line and column, and leaves nothing behind."""

import gzip
from dataclasses import replace

import pyarrow.csv as pacsv
import pyarrow.parquet as pq
import pytest
from outcomes import refused, rejected

from pipelines.features import make_features

pytestmark = pytest.mark.usefixtures("small_pieces")

HEADER = "click,price,user,tags"


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("", "in.csv' is empty"),
        ("click,price,user,tags\n", "holds? .*no rows|no rows"),
        ("price,user\n1,u\n2,v\n", "no column looks like a label.*--label"),
        ("click,price,user,tags\n" + "0,1,u,\n0,2,v,\n" * 9, "label 'click' is constant"),
        ("\n\n", "empty first line"),
        ("1,2,3\n4,5,6\n", "no line of column names"),
        ("click,price,price\n1,2,3\n0,2,4\n", "two columns named 'price'"),
    ],
)
def test_files_that_cannot_be_used(tmp_path, text, message):
    (tmp_path / "in.csv").write_text(text)
    refused(message, tmp_path / "in.csv", tmp_path / "out")


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("", "in.csv' is empty"),
        (HEADER + "\n", "the data hold no rows"),
        (
            "price,user,tags\n1,u,\n",
            "has no column 'click', which the schema names; it has price, user, tags",
        ),
        (HEADER + "\n" + "0,1,u,\n0,2,v,\n" * 99, "label is constant: all [0-9]+ training rows have 0"),
        (HEADER + "\n" + "1,1,u,\n1,2,v,\n" * 99, "label is constant: all [0-9]+ training rows have 1"),
        ("click,price,user,tags,user\n1,2,u,,v\n0,2,v,,v\n", "two columns named 'user'"),
    ],
)
def test_files_that_do_not_fit_the_schema(tmp_path, schema, text, message):
    (tmp_path / "in.csv").write_text(text)
    refused(message, tmp_path / "in.csv", tmp_path / "out", schema)


def test_an_empty_gz_is_empty(tmp_path):
    (tmp_path / "in.csv.gz").write_bytes(gzip.compress(b""))
    refused(r"in.csv.gz' is empty", tmp_path / "in.csv.gz", tmp_path / "out")


def test_missing_and_binary_files(tmp_path, schema):
    refused("none.csv' was not found; name a file", tmp_path / "none.csv", tmp_path / "out")
    (tmp_path / "in.csv").write_bytes(bytes(range(256)) * 10)
    refused("in.csv' is binary", tmp_path / "in.csv", tmp_path / "out")
    refused("in.csv' is binary", tmp_path / "in.csv", tmp_path / "out", schema)


@pytest.mark.parametrize("keep", [30, 0.5, -4])
@pytest.mark.parametrize("named", [True, False])
def test_truncated_gz(tmp_path, schema, write_shop, keep, named):
    path = write_shop(tmp_path / "in.csv.gz", 3000)
    data = path.read_bytes()
    path.write_bytes(data[: int(keep * len(data)) if isinstance(keep, float) else keep])
    refused("in.csv.gz' is a truncated or damaged .gz", path, tmp_path / "out", *([schema] if named else []))


def test_damaged_parquet(tmp_path, shop, schema):
    path = tmp_path / "in.parquet"
    pq.write_table(pacsv.read_csv(shop), path, compression="none", use_dictionary=False)
    data = path.read_bytes()
    path.write_bytes(data[:-100])
    refused("in.parquet' is not readable as Parquet", path, tmp_path / "out", schema)
    refused("in.parquet' is not readable as Parquet", path, tmp_path / "out")
    path.write_bytes(data[:4] + b"\xff" * 2000 + data[2004:])
    refused("in.parquet' is damaged", path, tmp_path / "out", schema)


BAD = ["1,2", "x,1,u,", "1,abc,u,t1", ",1,u,"]


def test_too_many_rejected_rows(shop, schema, tmp_path):
    with shop.open("a") as file:
        file.write("\n".join(BAD) + "\n" + "1,2\n" * 3)
    message = (
        r"7 of 607 rows were rejected, more than --max-rejected 0\.01 allows; most often \(4\): 2 columns"
    )
    refused(message, shop, tmp_path / "out", schema)
    assert rejected(tmp_path / "out")[:4] == [
        {"file": "shop.csv", "line": 602, "reason": "2 columns where 4 were expected", "text": "1,2"},
        {"file": "shop.csv", "line": 603, "reason": "column 'click' is not a number", "text": "x"},
        {"file": "shop.csv", "line": 604, "reason": "column 'price' is not a number", "text": "abc"},
        {"file": "shop.csv", "line": 605, "reason": "label 'click' is missing", "text": "None"},
    ]
    # The same folder serves once more are allowed, or the file is mended.
    manifest = make_features(str(shop), tmp_path / "out", schema, max_rejected=0.02)
    assert sum(manifest["rejected"].values()) == 7
    assert sum(part["rows"] for part in manifest["splits"].values()) == 600


def test_a_refused_run_leaves_the_folder_free(tmp_path, schema, write_shop):
    path = tmp_path / "in.csv"
    path.write_text(HEADER + "\n" + "1,2\n" * 50)
    refused("50 of 50 rows were rejected", path, tmp_path / "out", schema)
    write_shop(path, 300)
    make_features(str(path), tmp_path / "out", schema)
    assert not (tmp_path / "out" / "rejected").exists()


def test_folders_of_something_else_are_left_alone(shop, schema, tmp_path, tree, write_shop):
    out = tmp_path / "out"
    make_features(str(shop), out, schema)
    before = tree(out)
    other = write_shop(tmp_path / "other.csv", 200, seed=9)
    refused("out' holds features of other data; name another --out", other, out, schema)
    refused("out' holds features of another schema", shop, out, replace(schema, dense=()))
    assert tree(out) == before
    (tmp_path / "mine").mkdir()
    (tmp_path / "mine" / "letter.txt").write_text("dear")
    (tmp_path / "mine" / ".partial-not-ours").write_text("dear")
    refused("mine' is not empty and holds no features", shop, tmp_path / "mine", schema)
    assert len(tree(tmp_path / "mine")) == 2
    refused("letter.txt' is a file; name a folder", shop, tmp_path / "mine" / "letter.txt", schema)
    refused("lies inside the data", shop.parent, shop.parent / "inside", schema)


def test_a_claim_cut_short_is_taken_up(shop, schema, tmp_path):
    out = tmp_path / "out"
    out.mkdir()
    (out / ".partial-0123-source.json").write_text("{")
    make_features(str(shop), out, schema)
    assert not list(out.glob(".partial*"))
