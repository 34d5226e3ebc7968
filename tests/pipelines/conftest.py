import gzip
import hashlib
from pathlib import Path

import numpy as np
import pytest

from recfactory.schema.columns import Categorical, Dense, Label, Schema

HEADER = "click,price,user,tags"


@pytest.fixture
def schema() -> Schema:
    """One column of each kind."""
    return Schema(
        name="shop",
        label=Label("click"),
        dense=(Dense("price", "standardize"),),
        categorical=(Categorical("user"), Categorical("tags", separator="|", max_values=3)),
    )


@pytest.fixture
def shop(tmp_path) -> Path:
    """A CSV file of 600 clean rows that fit `schema`."""
    return write_shop(tmp_path / "shop.csv", 600)


def shop_lines(rows: int, seed: int = 0) -> list[str]:
    draw = np.random.default_rng(seed)
    lines = []
    for _ in range(rows):
        tags = "|".join(f"t{tag}" for tag in draw.integers(0, 6, draw.integers(0, 4)))
        price = "" if draw.random() < 0.1 else f"{draw.normal(10, 3):.2f}"
        user = "" if draw.random() < 0.05 else f"u{draw.integers(0, 40)}"
        lines.append(f"{draw.integers(0, 2)},{price},{user},{tags}")
    return lines


def write_shop(path: Path, rows: int, seed: int = 0) -> Path:
    text = "\n".join([HEADER, *shop_lines(rows, seed)]) + "\n"
    path.parent.mkdir(parents=True, exist_ok=True)
    if path.suffix == ".gz":
        path.write_bytes(gzip.compress(text.encode()))
    else:
        path.write_text(text)
    return path


def tree(folder: Path) -> dict[str, str]:
    """The digest of every file under a folder, by relative path."""
    return {
        str(path.relative_to(folder)): hashlib.sha256(path.read_bytes()).hexdigest()
        for path in sorted(folder.rglob("*"))
        if path.is_file()
    }
