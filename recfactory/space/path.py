"""One point of a space: what each block does and what it reads."""

import json
from collections.abc import Iterator
from dataclasses import dataclass, fields
from functools import cached_property
from typing import Any

from recfactory.errors import UserError, did_you_mean
from recfactory.settings import write_settings
from recfactory.space.operators import operator
from recfactory.space.space import Space


@dataclass(frozen=True)
class Block:
    """The choices of one block. Sources are 0 (the raw inputs) and the numbers of earlier blocks.

    Args:
        dense_operator: makes the block's numbers.
        dense_dim: how many.
        sparse_operator: makes the block's tokens.
        sparse_dim: how many.
        dense_sources: whose numbers are concatenated, ascending.
        sparse_sources: whose tokens are concatenated, ascending.
        left: source of a two-sided operator.
        right: source of a two-sided operator.
        dense_to_sparse: whether the operators' numbers are appended as tokens.
        fm: whether the pairwise interactions of the operators' tokens are added to the numbers.
    """

    dense_operator: str
    dense_dim: int
    sparse_operator: str
    sparse_dim: int
    dense_sources: tuple[int, ...]
    sparse_sources: tuple[int, ...]
    left: int
    right: int
    dense_to_sparse: bool
    fm: bool


@dataclass(frozen=True)
class Path:
    """An architecture of a space; an immutable, hashable value.

    Args:
        space: that it lies in.
        blocks: the first one reads source 0 alone.

    Raises:
        UserError: when it does not lie in the space, naming the block.
    """

    space: Space
    blocks: tuple[Block, ...]

    def __post_init__(self) -> None:
        if len(self.blocks) != self.space.blocks:
            raise UserError(f"path: has {len(self.blocks)} blocks, its space has {self.space.blocks}")
        for number, block in enumerate(self.blocks, 1):
            for message in _complaints(self.space, number, block):
                raise UserError(f"path, block {number}: {message}")

    @cached_property
    def live(self) -> "Live":
        """The parts that the output depends on."""
        return find_live(self)

    @cached_property
    def genes(self) -> tuple[int, ...]:
        """The canonical effective genes: equal networks have equal ones (see `genes.py`)."""
        from recfactory.space.effective import effective
        from recfactory.space.genes import encode

        return tuple(int(symbol) for symbol in effective(self.space, encode([self]))[0])

    @cached_property
    def macs(self) -> int:
        """Multiply-accumulates per example, embedding lookups excluded."""
        from recfactory.space.cost import path_macs

        return path_macs(self)

    @cached_property
    def params(self) -> int:
        """Weights, without the embedding table."""
        from recfactory.space.cost import path_params

        return path_params(self)

    def operators(self, number: int) -> tuple[tuple[str, ...], tuple[str, ...]]:
        """The dense and the sparse operators of a block: one of each."""
        block = self.blocks[number - 1]
        return (block.dense_operator,), (block.sparse_operator,)

    def dense_width(self, source: int) -> int:
        """Numbers of a source."""
        return self.space.raw_width if source == 0 else self.blocks[source - 1].dense_dim

    def tokens(self, source: int) -> int:
        """Tokens of a source."""
        if source == 0:
            return self.space.fields
        block = self.blocks[source - 1]
        return block.sparse_dim + self.space.merger_tokens * block.dense_to_sparse

    def to_json(self) -> str:
        """The path, its space included, as indented JSON."""
        return json.dumps(self.to_dict(), indent=1)

    def to_dict(self) -> dict[str, Any]:
        """The path, its space included, as JSON values."""
        return {"space": self.space.to_dict(), "blocks": write_settings(self.blocks)}

    @classmethod
    def from_json(cls, text: str) -> "Path":
        """The path that `to_json` wrote.

        Raises:
            UserError: when the text holds no path.
        """
        try:
            values = json.loads(text)
        except ValueError as error:
            raise UserError(f"path: this is no JSON: {error}") from error
        return cls.from_dict(values)

    @classmethod
    def from_dict(cls, values: Any) -> "Path":
        """The path that `to_dict` described.

        Raises:
            UserError: when the values describe no path.
        """
        _check_keys(values, ("space", "blocks"), "path")
        if not isinstance(values["blocks"], list):
            raise UserError(f"path: blocks must be a list, not {values['blocks']!r:.60}")
        names = tuple(field.name for field in fields(Block))
        for number, block in enumerate(values["blocks"], 1):
            _check_keys(block, names, f"path, block {number}")
        blocks = (Block(**{k: _value(v) for k, v in block.items()}) for block in values["blocks"])
        return cls(Space.from_dict(values["space"]), tuple(blocks))


@dataclass(frozen=True)
class Live:
    """Which parts of each block the output depends on; one flag per block.

    Args:
        dense: its dense operator.
        sparse: its sparse operator.
        dense_to_sparse: its dense-to-sparse merger.
        fm: its FM merger.
    """

    dense: tuple[bool, ...]
    sparse: tuple[bool, ...]
    dense_to_sparse: tuple[bool, ...]
    fm: tuple[bool, ...]


def find_live(path: Path) -> Live:
    """Walks from the output back to what it depends on."""
    last = len(path.blocks)
    numbers, tokens = {last}, {last}
    flags = []
    for number in range(last, 0, -1):
        block = path.blocks[number - 1]
        fm = block.fm and number in numbers
        to_sparse = block.dense_to_sparse and number in tokens
        dense, sparse = number in numbers or to_sparse, number in tokens or fm
        flags.append((dense, sparse, to_sparse, fm))
        for names, alive in zip(path.operators(number), (dense, sparse), strict=True):
            for name in names if alive else ():
                numbers |= set(_dense_reads(block, name))
                tokens |= set(_sparse_reads(block, name))
    return Live(*zip(*reversed(flags), strict=True))


def _dense_reads(block: Block, name: str) -> tuple[int, ...]:
    """The sources whose numbers the operator `name` reads in this block."""
    reads = operator(name).reads
    sides = tuple(getattr(block, side) for side in ("left", "right") if side in reads)
    return sides + (block.dense_sources if "dense_sources" in reads else ())


def _sparse_reads(block: Block, name: str) -> tuple[int, ...]:
    """The sources whose tokens the operator `name` reads in this block."""
    return block.sparse_sources if "sparse_sources" in operator(name).reads else ()


def _check_keys(values: Any, names: tuple[str, ...], place: str) -> None:
    if not isinstance(values, dict):
        raise UserError(f"{place}: expected a mapping of {', '.join(names)}, not {values!r:.60}")
    for key in values:
        if key not in names:
            near = did_you_mean(key, names) or f"; known here: {', '.join(names)}"
            raise UserError(f"{place}: unknown key '{key}'{near}")
    missing = [name for name in names if name not in values]
    if missing:
        raise UserError(f"{place}: {', '.join(missing)} missing")


def _value(value: Any) -> Any:
    return tuple(value) if isinstance(value, list) else value


def _complaints(space: Space, number: int, block: Block) -> Iterator[str]:
    for stream in ("dense", "sparse"):
        for choice, allowed in (("operator", f"{stream}_operators"), ("dim", f"{stream}_dims")):
            value, options = getattr(block, f"{stream}_{choice}"), getattr(space, allowed)
            if value not in options or not isinstance(value, (str, int)) or isinstance(value, bool):
                yield f"{stream}_{choice} is {value!r}, the space has {', '.join(map(str, options))}"
        sources = getattr(block, f"{stream}_sources")
        most = min(space.max_sources, number)
        if not isinstance(sources, tuple) or not 1 <= len(sources) <= most:
            yield f"{stream}_sources must be 1 to {most} sources, not {sources!r}"
        elif any(not _is_source(source, number) for source in sources) or sorted(set(sources)) != list(
            sources
        ):
            yield f"{stream}_sources must be of 0 to {number - 1} in ascending order, not {list(sources)}"
    for side in ("left", "right"):
        if not _is_source(getattr(block, side), number):
            yield f"{side} must be a source of 0 to {number - 1}, not {getattr(block, side)!r}"
    for flag in ("dense_to_sparse", "fm"):
        if not isinstance(getattr(block, flag), bool):
            yield f"{flag} must be true or false, not {getattr(block, flag)!r}"


def _is_source(value: Any, number: int) -> bool:
    return isinstance(value, int) and not isinstance(value, bool) and 0 <= value < number
