"""Data sets as they are published."""

import gzip

from pipelines.features import make_features


def test_kdd12(shared_data, tmp_path):
    manifest = make_features(str(shared_data / "kdd12" / "kdd12.csv.gz"), tmp_path / "out", "kdd12")
    with gzip.open(shared_data / "kdd12" / "kdd12.csv.gz", "rt") as file:
        header, *lines = file.read().splitlines()
    place = header.split(",").index("split")
    splits = [line.split(",")[place] for line in lines]
    assert manifest["rejected"] == {}
    for split in ("train", "valid", "test"):
        assert manifest["splits"][split]["rows"] == splits.count(split)


def test_frappe(shared_data, tmp_path):
    manifest = make_features(str(shared_data / "frappe_x1"), tmp_path / "out", "frappe")
    rows = {split: part["rows"] for split, part in manifest["splits"].items()}
    assert rows == {"train": 202_027, "valid": 57_722, "test": 28_860}
