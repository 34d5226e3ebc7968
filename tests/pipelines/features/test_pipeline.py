"""What is made of raw rows."""

import gzip
from dataclasses import replace

import numpy as np
import pyarrow as pa
import pyarrow.csv as pacsv
import pyarrow.parquet as pq
import pytest
import tensorflow as tf
from outcomes import refused, rejected

from pipelines.features import make_features
from recfactory.errors import UserError
from recfactory.features import packed
from recfactory.features.encode import Encoder
from recfactory.features.spec import read_spec
from recfactory.schema.columns import Categorical, Dense, FileFormat, Label, Schema, Split

HEADER = "click,price,user,tags"


pytestmark = pytest.mark.usefixtures("small_pieces")


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
