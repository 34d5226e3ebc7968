import gzip
import hashlib
from pathlib import Path

import numpy as np
import pytest

from recfactory.schema.columns import Categorical, Dense, Label, Schema


@pytest.fixture
def schema() -> Schema:
    """Of the shop: one column of each kind."""
    return Schema(
        name="shop",
        label=Label("click"),
        dense=(Dense("price", "standardize"),),
        categorical=(Categorical("user"), Categorical("tags", separator="|", max_values=3)),
    )


@pytest.fixture
def write_shop():
    """Writes a clean click log of a shop as CSV, packed where the name says so."""

    def write(path: Path, rows: int, seed: int = 0) -> Path:
        text = "\n".join(["click,price,user,tags", *_lines(rows, seed)]) + "\n"
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(gzip.compress(text.encode()) if path.suffix == ".gz" else text.encode())
        return path

    return write


@pytest.fixture
def shop(tmp_path, write_shop) -> Path:
    """A file of 600 rows."""
    return write_shop(tmp_path / "shop.csv", 600)


@pytest.fixture
def tree():
    """Gives the digest of every file under a folder, by relative path."""

    def digests(folder: Path) -> dict[str, str]:
        return {
            str(path.relative_to(folder)): hashlib.sha256(path.read_bytes()).hexdigest()
            for path in sorted(folder.rglob("*"))
            if path.is_file()
        }

    return digests


def _lines(rows: int, seed: int) -> list[str]:
    draw = np.random.default_rng(seed)
    lines = []
    for _ in range(rows):
        tags = "|".join(f"t{tag}" for tag in draw.integers(0, 6, draw.integers(0, 4)))
        price = "" if draw.random() < 0.1 else f"{draw.normal(10, 3):.2f}"
        user = "" if draw.random() < 0.05 else f"u{draw.integers(0, 40)}"
        lines.append(f"{draw.integers(0, 2)},{price},{user},{tags}")
    return lines
