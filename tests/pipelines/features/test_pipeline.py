import gzip
import json
import shutil
from dataclasses import replace

import numpy as np
import pyarrow as pa
import pyarrow.csv as pacsv
import pyarrow.parquet as pq
import pytest
import tensorflow as tf

from pipelines.features import make_features
from pipelines.reading import plan
from recfactory.errors import UserError
from recfactory.features import packed
from recfactory.features.encode import Encoder
from recfactory.features.spec import read_spec
from recfactory.schema.columns import Categorical, Dense, FileFormat, Label, Schema, Split

HEADER = "click,price,user,tags"
PIECE = 2000
"""Bytes a piece, so that a small file has several."""


@pytest.fixture(autouse=True)
def small_pieces(monkeypatch):
    monkeypatch.setattr(plan, "PIECE_BYTES", PIECE)


def examples(out, split):
    files = sorted(str(path) for path in (out / "examples" / split).glob("*.tfrecord"))
    return [tf.train.Example.FromString(raw) for raw in tf.data.TFRecordDataset(files).as_numpy_iterator()]


def values(example, name):
    if name not in example.features.feature:
        return []
    feature = example.features.feature[name]
    return list(getattr(feature, feature.WhichOneof("kind")).value)


def encoded(out, split):
    batches = list(packed.dataset(out, split, read_spec(out).layout, 1 << 20))
    (inputs, label, weight) = batches[0]
    assert len(batches) == 1
    return inputs["numbers"].numpy(), inputs["ids"].numpy(), label.numpy(), weight.numpy()


def test_everything_is_where_it_belongs(shop, schema, tmp_path):
    out = tmp_path / "out"
    manifest = make_features(str(shop), out, schema)
    lines = shop.read_text().splitlines()[1:]

    assert sum(part["rows"] for part in manifest["splits"].values()) == 600
    assert manifest["files"] == ["shop.csv"]
    assert manifest["rejected"] == {}
    assert sorted(path.name for path in out.iterdir()) == [
        "encoded", "examples", "manifest.json",
        "schema.yaml", "source.json", "statistics.json", "vocabularies",
    ]  # fmt: skip
    found = []
    for split, part in manifest["splits"].items():
        rows = examples(out, split)
        assert part["rows"] == len(rows) > 30
        assert part["clicks"] == sum(values(row, "label")[0] for row in rows)
        found += [
            (
                values(row, "label")[0],
                np.float32(values(row, "price")[0]) if values(row, "price") else None,
                b"".join(values(row, "user")),
                b"|".join(values(row, "tags")),
            )
            for row in rows
        ]
    expected = []
    for line in lines:
        click, price, user, tags = line.split(",")
        expected.append((float(click), np.float32(price) if price else None, user.encode(), tags.encode()))
    assert sorted(found, key=repr) == sorted(expected, key=repr)


def test_vocabularies_and_statistics_are_those_of_the_training_rows(shop, schema, tmp_path):
    make_features(str(shop), tmp_path / "out", schema)
    train = examples(tmp_path / "out", "train")
    spec = read_spec(tmp_path / "out")
    for name in ("user", "tags"):
        counts = {}
        for row in train:
            for value in values(row, name):
                counts[value] = counts.get(value, 0) + 1
        assert list(spec.vocabularies[name]) == sorted(counts, key=lambda value: (-counts[value], value))
        assert spec.statistics["categorical"][name]["distinct"] == len(counts)
        assert spec.statistics["categorical"][name]["missing"] == sum(not values(row, name) for row in train)
    assert spec.statistics["categorical"]["tags"]["slots"] == max(len(values(row, "tags")) for row in train)
    prices = np.array([values(row, "price")[0] for row in train if values(row, "price")], np.float64)
    assert spec.statistics["dense"]["price"]["mean"] == pytest.approx(prices.mean(), rel=1e-9)
    assert spec.statistics["dense"]["price"]["std"] == pytest.approx(prices.std(), rel=1e-9)
    assert spec.statistics["dense"]["price"]["missing"] == len(train) - len(prices)


def test_encoded_rows_are_the_examples_encoded(shop, schema, tmp_path):
    out = tmp_path / "out"
    make_features(str(shop), out, schema)
    for split in ("train", "valid", "test"):
        rows = examples(out, split)
        batch = pa.RecordBatch.from_pydict(
            {
                "price": pa.array([(values(row, "price") or [None])[0] for row in rows], pa.float32()),
                "user": pa.array([(values(row, "user") or [None])[0] for row in rows], pa.binary()),
                "tags": pa.array([values(row, "tags") for row in rows], pa.list_(pa.binary())),
                "label": pa.array([values(row, "label")[0] for row in rows], pa.float32()),
            }
        )
        expected = Encoder(read_spec(out)).encode(batch)
        numbers, ids, label, weight = encoded(out, split)
        np.testing.assert_array_equal(numbers, expected.dense)
        np.testing.assert_array_equal(ids, expected.ids)
        np.testing.assert_array_equal(label, expected.label)
        np.testing.assert_array_equal(weight, 1)


def content(out):
    """All that a model sees, in order; what is named after the input left out."""
    return {split: [row.SerializeToString(deterministic=True) for row in examples(out, split)]
            for split in ("train", "valid", "test")}  # fmt: skip


@pytest.fixture
def by_key(schema):
    return replace(schema, split=Split(column="user"))


def test_all_ways_to_write_the_rows_give_the_same(shop, by_key, tmp_path):
    """Hash of a key does not depend on lines, which are numbered differently in Parquet."""
    make_features(str(shop), tmp_path / "csv", by_key)
    text = shop.read_text()
    (tmp_path / "shop.tsv").write_text(text.replace(",", "\t"))
    (tmp_path / "shop.csv.gz").write_bytes(gzip.compress(text.encode()))
    (tmp_path / "bare.csv").write_text(text.split("\n", 1)[1])
    (tmp_path / "crlf.csv").write_bytes(b"\xef\xbb\xbf" + text.replace("\n", "\r\n").encode().rstrip())
    text_table = pacsv.read_csv(shop, convert_options=pacsv.ConvertOptions(strings_can_be_null=True))
    pq.write_table(text_table, tmp_path / "shop.parquet", row_group_size=250)
    bare = FileFormat(header=False, columns=tuple(HEADER.split(",")))
    for name, text_format in {
        "shop.tsv": FileFormat("\t"), "shop.csv.gz": by_key.format, "bare.csv": bare,
        "crlf.csv": by_key.format, "shop.parquet": by_key.format,
    }.items():  # fmt: skip
        out = tmp_path / f"out {name}"
        make_features(str(tmp_path / name), out, replace(by_key, format=text_format))
        assert content(out) == content(tmp_path / "csv"), name


def test_folders_and_globs(by_key, tmp_path, write_shop):
    write_shop(tmp_path / "in" / "a.csv", 300, seed=1)
    write_shop(tmp_path / "in" / "day2" / "b.csv.gz", 200, seed=2)
    swapped = ["tags,more,click,user,price"]
    third = write_shop(tmp_path / "c.csv", 100, seed=3).read_text().splitlines()[1:]
    swapped += [f"{t},?,{c},{u},{p}" for c, p, u, t in (line.split(",") for line in third)]
    (tmp_path / "in" / "day2" / "c.csv").write_text("\n".join(swapped))
    (tmp_path / "in" / "README.md").write_text("no data")
    folder = make_features(str(tmp_path / "in"), tmp_path / "folder", by_key)
    assert folder["files"] == ["a.csv", "day2/b.csv.gz", "day2/c.csv"]
    assert sum(part["rows"] for part in folder["splits"].values()) == 600
    glob = make_features(str(tmp_path / "in/**/*.csv*"), tmp_path / "glob", by_key)
    assert glob["splits"] == folder["splits"]
    assert content(tmp_path / "glob") == content(tmp_path / "folder")


def test_split_by_files(schema, tmp_path, write_shop):
    for name, rows in {"test": 60, "train": 300, "valid": 50}.items():
        write_shop(tmp_path / "in" / f"{name}.csv", rows, seed=rows)
    manifest = make_features(str(tmp_path / "in"), tmp_path / "auto")
    assert {name: part["rows"] for name, part in manifest["splits"].items()} == {
        "train": 300,
        "valid": 50,
        "test": 60,
    }
    (tmp_path / "in" / "more.csv").write_bytes((tmp_path / "in" / "test.csv").read_bytes())
    with pytest.raises(UserError, match=r"file 'more\.csv': its name begins with none of"):
        make_features(str(tmp_path / "in"), tmp_path / "bad", replace(schema, split=Split(by="files")))


def test_the_schema_is_inferred_from_training_files(tmp_path):
    (tmp_path / "in").mkdir()
    (tmp_path / "in" / "test.csv").write_text("click,a,b\n" + "1,x,word\n0,y,other\n" * 200)
    (tmp_path / "in" / "train.csv").write_text("click,a,b\n" + "1,x,0.5\n0,y,1.5\n0,y,2.5\n" * 200)
    with pytest.raises(UserError, match="column 'b' is not a number"):
        make_features(str(tmp_path / "in"), tmp_path / "out")


def test_split_by_column_and_its_unknown_values(tmp_path):
    rows = ["click,user,part"] + [f"{i % 2},u{i % 7},{'train' if i % 3 else 'test'}" for i in range(300)]
    (tmp_path / "in.csv").write_text("\n".join([*rows, "1,u1,later"]))
    split = Split(by="column", column="part")
    schema = Schema("s", Label("click"), categorical=(Categorical("user"),), split=split)
    manifest = make_features(str(tmp_path / "in.csv"), tmp_path / "out", schema)
    assert [manifest["splits"][split]["rows"] for split in ("train", "valid", "test")] == [200, 0, 100]
    assert rejected(tmp_path / "out") == [
        {"file": "in.csv", "line": 302, "reason": "column 'part' stands for no split", "text": "later"}
    ]


def test_split_by_time(tmp_path):
    rows = ["click,user,date"]
    rows += [f"{i % 2},u{i % 7},2024-01-{1 + i // 30:02d} {i % 24:02d}:00:00" for i in range(600)]
    np.random.default_rng(0).shuffle(rows[1:])
    (tmp_path / "in.csv").write_text("\n".join(rows))
    schema = Schema(
        "s", Label("click"), categorical=(Categorical("user"),), timestamp="date", split=Split(by="time")
    )
    make_features(str(tmp_path / "in.csv"), tmp_path / "out", schema)
    times = [
        [values(row, "timestamp")[0] for row in examples(tmp_path / "out", s)]
        for s in ("train", "valid", "test")
    ]
    assert max(times[0]) < min(times[1]) <= max(times[1]) < min(times[2])
    assert len(times[0]) == pytest.approx(480, abs=10)
    assert min(times[0]) == 1704067200


@pytest.mark.parametrize("kind", ["dense", "categorical"])
def test_one_kind_of_columns_alone(shop, tmp_path, kind):
    columns = (
        {"dense": (Dense("price", "log"),)} if kind == "dense" else {"categorical": (Categorical("user"),)}
    )
    make_features(str(shop), tmp_path / "out", Schema("s", Label("click"), **columns))
    numbers, ids, label, _ = encoded(tmp_path / "out", "train")
    assert (numbers.shape[1], ids.shape[1]) == ((1, 0) if kind == "dense" else (0, 1))
    assert len(label) == len(numbers) == len(ids)


def test_awkward_column_names(tmp_path):
    names = ["a/b", "..", "user id", "\u00fc", "x.y"]
    lines = [",".join(["click", *names])] + [f"{i % 2}" + f",v{i % 5}" * len(names) for i in range(100)]
    (tmp_path / "in.csv").write_text("\n".join(lines))
    schema = Schema("s", Label("click"), categorical=tuple(Categorical(name) for name in names))
    make_features(str(tmp_path / "in.csv"), tmp_path / "out", schema)
    spec = read_spec(tmp_path / "out")
    assert {name: set(values) for name, values in spec.vocabularies.items()} == {
        name: {b"v0", b"v1", b"v2", b"v3", b"v4"} for name in names
    }


def test_synthetic(tmp_path):
    manifest = make_features("synthetic:rows=300,seed=5", tmp_path / "out")
    assert {split: part["rows"] for split, part in manifest["splits"].items()} == {
        "train": 240,
        "valid": 30,
        "test": 30,
    }
    assert all(0 < values(row, "truth")[0] < 1 for row in examples(tmp_path / "out", "test"))
    with pytest.raises(UserError, match=r"label is constant|no row falls"):
        make_features("synthetic:rows=1,seed=5", tmp_path / "one")
    refused(
        "has no column 'app_name'|has no column|do not look like",
        "synthetic:rows=9",
        tmp_path / "no",
        "frappe",
    )


# Byte for byte the same


OPTIONS = ["--direct_num_workers=2", "--direct_running_mode=multi_threading"]


@pytest.mark.parametrize(
    "options",
    [
        OPTIONS,
        pytest.param([OPTIONS[0], OPTIONS[1].replace("threading", "processing")], marks=pytest.mark.slow),
    ],
)
def test_workers_change_nothing(shop, schema, tmp_path, tree, options):
    with shop.open("a") as file:
        file.write("2,1,u1,\n")
    make_features(str(shop), tmp_path / "one", schema)
    make_features(str(shop), tmp_path / "two", schema, beam_options=options)
    assert tree(tmp_path / "one") == tree(tmp_path / "two")
    assert len(rejected(tmp_path / "two")) == 1


def test_an_unfinished_folder_is_finished(shop, schema, tmp_path, tree):
    """Also where outputs that were written have been lost."""
    make_features(str(shop), tmp_path / "whole", schema)
    whole = tree(tmp_path / "whole")
    shutil.copytree(tmp_path / "whole", tmp_path / "out")
    shutil.rmtree(tmp_path / "out" / "encoded" / "train")
    assert make_features(str(shop), tmp_path / "out", schema)["splits"]
    assert tree(tmp_path / "out") == whole
    (tmp_path / "out" / "manifest.json").unlink()
    (tmp_path / "out" / "examples" / ".partial-1-part").write_text("half")
    next((tmp_path / "out" / "examples" / "train").iterdir()).unlink()
    make_features(str(shop), tmp_path / "out", schema)
    assert tree(tmp_path / "out") == whole


def test_again_is_a_look_at_what_is_there(shop, schema, tmp_path):
    first = make_features(str(shop), tmp_path / "out", schema)
    times = {path: path.stat().st_mtime_ns for path in (tmp_path / "out").rglob("*")}
    assert make_features(str(shop), tmp_path / "out", schema) == first
    assert {path: path.stat().st_mtime_ns for path in (tmp_path / "out").rglob("*")} == times


# What goes wrong


def rejected(out):
    files = sorted((out / "rejected").glob("part-*.jsonl"))
    return [json.loads(line) for file in files for line in file.read_text().splitlines()]


def refused(message, data, out, *arguments, **more):
    with pytest.raises(UserError, match=message) as caught:
        make_features(str(data), out, *arguments, **more)
    text = str(caught.value)
    assert "\n" not in text
    assert "Traceback" not in text
    assert "while running" not in text


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


# Real files


@pytest.fixture
def usual_pieces(monkeypatch, small_pieces):
    monkeypatch.undo()


def test_kdd12(shared_data, tmp_path, usual_pieces):
    manifest = make_features(str(shared_data / "kdd12" / "kdd12.csv.gz"), tmp_path / "out", "kdd12")
    with gzip.open(shared_data / "kdd12" / "kdd12.csv.gz", "rt") as file:
        header, *lines = file.read().splitlines()
    place = header.split(",").index("split")
    splits = [line.split(",")[place] for line in lines]
    assert manifest["rejected"] == {}
    for split in ("train", "valid", "test"):
        assert manifest["splits"][split]["rows"] == splits.count(split)


def test_frappe(shared_data, tmp_path, usual_pieces):
    manifest = make_features(str(shared_data / "frappe_x1"), tmp_path / "out", "frappe")
    rows = {split: part["rows"] for split, part in manifest["splits"].items()}
    assert rows == {"train": 202_027, "valid": 57_722, "test": 28_860}
