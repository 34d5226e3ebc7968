"""What can be searched: the blocks, operators and sizes of a space, and its two presets."""

from collections.abc import Callable
from dataclasses import asdict, dataclass, fields
from itertools import pairwise
from typing import TYPE_CHECKING, Any, Literal

from recfactory.errors import UserError, did_you_mean
from recfactory.features.layout import Layout
from recfactory.schema.columns import Schema
from recfactory.space.axes import Axis, first, unit_of, whole
from recfactory.space.operators import operator

if TYPE_CHECKING:
    from recfactory.space.path import Path

DENSE_DIMS = (16, 32, 64, 128, 256, 512, 768, 1024)
SPARSE_DIMS = (16, 32, 48, 64)
PRESETS: dict[str, dict[str, Any]] = {
    "small": {"dense_operators": ("fc", "dot_product"), "sparse_operators": ("efc",)},
    "full": {
        "dense_operators": ("fc", "gating", "sum", "dot_product"),
        "sparse_operators": ("efc", "attention"),
    },
}
"""NASRec-Small and NASRec-Full (arXiv 2207.07187)."""


@dataclass(frozen=True)
class Space:
    """The architectures that can be searched; block i reads any of the sources 0 (the raw inputs) to i - 1.

    Args:
        numbers: dense columns of the data.
        fields: categorical columns of the data.
        blocks: choice blocks, one after another.
        dense_operators: names of operators that make a block's numbers.
        sparse_operators: names of operators that make a block's tokens.
        dense_dims: widths that a block's numbers can have, ascending.
        sparse_dims: counts that a block's tokens can have, ascending.
        max_sources: most sources that one operator concatenates.
        embedding_dim: numbers in a token.
        merger_tokens: tokens that the dense-to-sparse merger appends.
        raw_dense: the numbers of source 0: the dense columns, the embedded fields flattened, or both.
    """

    numbers: int
    fields: int
    blocks: int = 7
    dense_operators: tuple[str, ...] = PRESETS["full"]["dense_operators"]
    sparse_operators: tuple[str, ...] = PRESETS["full"]["sparse_operators"]
    dense_dims: tuple[int, ...] = DENSE_DIMS
    sparse_dims: tuple[int, ...] = SPARSE_DIMS
    max_sources: int = 4
    embedding_dim: int = 16
    merger_tokens: int = 8
    raw_dense: Literal["numbers", "fields", "both"] = "numbers"

    def __post_init__(self) -> None:
        for name in ("numbers", "fields", "blocks", "max_sources", "embedding_dim", "merger_tokens"):
            value, least = getattr(self, name), int(name != "numbers")
            whole_number = _is_whole(value) and value >= least
            _check(whole_number, f"{name} must be a whole number of at least {least}, not {value!r}")
        for stream in ("dense", "sparse"):
            dims, names = getattr(self, f"{stream}_dims"), getattr(self, f"{stream}_operators")
            ascending = _is_tuple(dims, _is_whole) and dims[0] >= 1 and all(a < b for a, b in pairwise(dims))
            _check(ascending, f"{stream}_dims must be a list of whole numbers, ascending, not {dims!r}")
            named = _is_tuple(names, lambda name: isinstance(name, str))
            _check(named, f"{stream}_operators must be names of operators, one or more, not {names!r}")
            _check(len(set(names)) == len(names), f"{stream}_operators: a name stands there twice")
            for name in names:
                _check(
                    operator(name).stream == stream,
                    f"operator '{name}' makes the {operator(name).stream} stream; it cannot stand in "
                    f"{stream}_operators",
                )
        _check(
            self.raw_dense in ("numbers", "fields", "both"),
            f"raw_dense must be numbers, fields or both, not '{self.raw_dense}'",
        )
        _check(
            self.raw_width > 0,
            "the data have no dense columns, so that source 0 has no numbers; write raw_dense: fields",
        )

    @property
    def raw_width(self) -> int:
        """Numbers of source 0."""
        flat = self.fields * self.embedding_dim
        return {"numbers": self.numbers, "fields": flat, "both": self.numbers + flat}[self.raw_dense]

    @property
    def widest(self) -> int:
        """Numbers of the widest source there can be."""
        return max(self.raw_width, self.dense_dims[-1])

    def width_of(self, source: int, dim: Any) -> Axis:
        """The numbers of a source: the raw ones, or the output of a block of `dim` numbers."""
        return (
            whole(self.raw_width)
            if source == 0
            else first(dim, self.dense_dims[-1], unit_of(self.dense_dims))
        )

    def build(self, path: "Path") -> Any:
        """A path as a plain Keras model: no elastic part, no dead part.

        Args:
            path: of this space.

        Returns:
            A functional model of `[numbers (batch, numbers), fields (batch, fields, embedding_dim)]` to the
            logit `(batch, 1)`.

        Raises:
            UserError: when the path is of another space.
        """
        _check(path.space == self, "the path is of another space; build it with path.space.build(path)")
        from recfactory.models.standalone import build_tower

        return build_tower(path)

    def to_dict(self) -> dict[str, Any]:
        """The space as JSON values."""
        return {
            key: list(value) if isinstance(value, tuple) else value for key, value in asdict(self).items()
        }

    @classmethod
    def from_dict(cls, values: dict[str, Any]) -> "Space":
        """The space that `to_dict` described.

        Raises:
            UserError: for an unknown key or a wrong value.
        """
        _check(isinstance(values, dict), f"expected a mapping of its arguments, not {values!r:.60}")
        known = [field.name for field in fields(cls)]
        for key in values:
            _check(key in known, f"unknown key '{key}'{did_you_mean(key, known)}")
        arguments: dict[str, Any] = {
            key: tuple(value) if isinstance(value, list) else value for key, value in values.items()
        }
        for name in ("numbers", "fields"):
            _check(name in values, f"{name} is missing")
        return cls(**arguments)


def make_space(columns: Schema | Layout, preset: str = "full", /, **changes: Any) -> Space:
    """The space of a preset over the columns of a data set.

    Where the data have no dense columns, the numbers of source 0 are the embedded fields.

    Args:
        columns: schema or layout of the data.
        preset: `small` or `full`.
        **changes: any argument of `Space` but `numbers` and `fields`, which the data have.

    Raises:
        UserError: for an unknown preset or a wrong value.
    """
    if preset not in PRESETS:
        raise UserError(f"there is no space '{preset}'; there are {', '.join(PRESETS)}")
    sparse = columns.categorical if isinstance(columns, Schema) else columns.fields
    size = {"numbers": len(columns.dense), "fields": len(sparse)}
    for name in size:
        _check(name not in changes, f"{name} is a count of the data's columns; leave it out")
    raw = {"raw_dense": "numbers" if columns.dense else "fields"}
    return Space.from_dict({**size, **PRESETS[preset], **raw, **changes})


def _is_whole(value: Any) -> bool:
    return isinstance(value, int) and not isinstance(value, bool)


def _is_tuple(values: Any, is_item: Callable[[Any], bool]) -> bool:
    return isinstance(values, tuple) and bool(values) and all(map(is_item, values))


def _check(ok: bool, message: str) -> None:
    if not ok:
        raise UserError(f"space: {message}")
