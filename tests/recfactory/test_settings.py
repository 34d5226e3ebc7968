from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Literal

import pytest

from recfactory.errors import UsageError
from recfactory.settings import read_settings, write_settings


@dataclass(frozen=True)
class Inner:
    rate: float = 0.1


@dataclass(frozen=True)
class Outer:
    count: int = 1
    flag: bool = False
    name: str = "a"
    kind: Literal["x", "y"] = "x"
    dims: tuple[int, ...] = (1, 2)
    limit: float | None = None
    inner: Inner = Inner()
    others: Mapping[str, Any] = field(default_factory=dict)


def test_values_are_taken_and_the_others_keep_their_defaults() -> None:
    made = read_settings(
        Outer, {"count": 3.0, "dims": [4], "limit": 2, "inner": {"rate": 1}, "kind": "y"}, "o"
    )
    assert made == Outer(count=3, dims=(4,), limit=2.0, inner=Inner(1.0), kind="y")
    assert isinstance(made.limit, float)
    assert isinstance(made.count, int)


def test_writing_is_the_opposite_of_reading() -> None:
    made = Outer(count=5, limit=0.5, inner=Inner(2.0), others={"a": (1, 2)})
    written = write_settings(made)
    assert written["inner"] == {"rate": 2.0}
    assert written["dims"] == [1, 2]
    assert read_settings(Outer, written, "o") == read_settings(
        Outer, {**written, "others": {"a": [1, 2]}}, "o"
    )


@pytest.mark.parametrize(
    ("values", "told"),
    [
        ({"cuont": 1}, "there is no entry 'cuont'.*did you mean 'count'"),
        ({"count": 1.5}, "o: count must be a whole number, not 1.5"),
        ({"count": True}, "o: count must be a whole number"),
        ({"count": float("nan")}, "o: count must be a whole number"),
        ({"limit": float("inf")}, "o: limit must be finite, not inf"),
        ({"flag": 1}, "o: flag must be true or false"),
        ({"kind": "z"}, "o: kind must be one of x, y, not z"),
        ({"dims": 3}, "o: dims must be a list"),
        ({"dims": ["a"]}, "o: dims's entries must be a whole number"),
        ({"inner": {"rat": 1}}, "o: inner: there is no entry 'rat'"),
        ({"inner": 3}, "o: inner: write settings"),
        ({"limit": "much"}, "o: limit must be a number"),
        ({"others": 3}, "o: others must be settings"),
    ],
)
def test_wrong_values_are_told_by_name(values: dict[str, Any], told: str) -> None:
    with pytest.raises(UsageError, match=told):
        read_settings(Outer, values, "o")
