"""What is left of a path: the channels of each part, and which of them are read.

A channel is one number or one token of a source. The raw inputs count as two parts of a block 0.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from itertools import pairwise
from typing import Any

import numpy as np
import numpy.typing as npt

from recfactory.errors import UserError
from recfactory.space.operators import balanced_tokens, operator
from recfactory.space.path import Path
from recfactory.space.wiring import Part, live_parts

Flags = npt.NDArray[np.bool_]
RAW = {"dense": Part(0, "dense", "raw"), "sparse": Part(0, "sparse", "raw")}
KNOWN = ("fc", "gating", "sum", "dot_product", "efc", "attention")
_STREAMS = {"left": "dense", "right": "dense", "dense_sources": "dense", "sparse_sources": "sparse"}


@dataclass
class Left:
    """What is left of one part; all places are those of the whole path.

    Args:
        reads: per input, which channels of it are read, `(channels,)`.
        inner: which of its own channels are left: reduced tokens of `dot_product`, gates of `gating`, places
            of the summed sources of `sum`; no other part has any.
        out: which channels it makes.
    """

    reads: list[Flags]
    inner: Flags
    out: Flags

    @property
    def alive(self) -> bool:
        """Whether anything is left."""
        return bool(self.out.any())

    def clear(self) -> None:
        """Takes everything away."""
        for flags in (*self.reads, self.inner, self.out):
            flags[:] = False


Cut = dict[Part, Left]
"""What is left of each live part, and of `RAW`."""


def whole(path: Path) -> Cut:
    """The cut that leaves everything of a path.

    Raises:
        UserError: for a path with an operator that cannot be pruned.
    """
    cut = {part: Left([], _flags(0), _flags(channels(path, part))) for part in RAW.values()}
    for part in live_parts(path):
        if part.role in ("dense", "sparse") and part.kind not in KNOWN:
            raise UserError(
                f"prune: cannot prune the operator '{part.kind}' of block {part.number}, only "
                f"{', '.join(KNOWN)}"
            )
        reads = [_flags(sum(channels(path, maker) for maker in makers)) for makers in inputs(path, part)]
        left = cut[part] = Left(reads, _flags(_inner(path, part, reads)), _flags(channels(path, part)))
        if part.kind == "gating":
            left.reads[1][len(left.inner) :] = False
    return cut


def channels(path: Path, part: Part) -> int:
    """How many channels a part makes in the whole path; the FM merger counts as one."""
    space = path.space
    if part.number == 0:
        return space.raw_width if part.role == "dense" else space.fields
    block = path.blocks[part.number - 1]
    sizes = {"dense": block.dense_dim, "sparse": block.sparse_dim, "dense_to_sparse": space.merger_tokens}
    return sizes.get(part.role, 1)


def inputs(path: Path, part: Part) -> list[list[Part]]:
    """Per input of a part, whose channels it reads, one after another.

    The tokens that the dense-to-sparse merger appends to, and the numbers that the FM merger adds to, pass
    through them and are not read.
    """
    if part.role == "dense_to_sparse":
        return [[_operator(path, part.number, "dense")]]
    if part.role == "fm":
        return [[_operator(path, part.number, "sparse")]]
    if part.role == "head":
        return [_makers(path, part.number, "dense"), _makers(path, part.number, "sparse")]
    block, found = path.blocks[part.number - 1], []
    for gene in operator(part.kind).reads:
        sources = getattr(block, gene)
        sources = (sources,) if isinstance(sources, int) else sources
        found.append([maker for source in sources for maker in _makers(path, source, _STREAMS[gene])])
    return found


def available(path: Path, cut: Cut, part: Part) -> list[Flags]:
    """Per input of a part, which of its channels are made."""
    return [np.concatenate([cut[maker].out for maker in makers]) for makers in inputs(path, part)]


def close(path: Path, cut: Cut) -> None:
    """Removes what follows from what is removed, until nothing more does.

    A channel that is not made is not read, one that nobody reads is not made. An operator one of whose
    matrices has no inputs or no outputs left makes nothing.
    """
    size = -1
    while size != (size := _size(cut)):
        for part in live_parts(path):
            _settle(path, cut, part)
        used = {maker: np.zeros_like(left.out) for maker, left in cut.items()}
        merged = set()
        for part in live_parts(path):
            for makers, flags in zip(inputs(path, part), cut[part].reads, strict=True):
                for maker, piece in zip(makers, _pieces(path, makers, flags), strict=True):
                    used[maker] |= piece
                    if piece.any() and part.role != "dense_to_sparse":
                        merged.add(maker)
        for part, left in cut.items():
            if part.role == "fm":
                # A block's other merger reads the numbers before this one adds to them.
                left.out &= _operator(path, part.number, "dense") in merged
            elif part.role != "head":
                left.out &= used[part]


def to_json(cut: Cut) -> dict[str, Any]:
    """A cut as JSON values: the places that are left, by the name of the part."""
    return {
        _name(part): {
            "reads": [np.flatnonzero(flags).tolist() for flags in left.reads],
            "inner": np.flatnonzero(left.inner).tolist(),
            "out": np.flatnonzero(left.out).tolist(),
        }
        for part, left in cut.items()
    }


def from_json(path: Path, values: dict[str, Any]) -> Cut:
    """The cut of a path that `to_json` wrote."""
    cut = whole(path)
    for part, left in cut.items():
        found = values[_name(part)]
        places = [*found["reads"], found["inner"], found["out"]]
        for flags, kept in zip((*left.reads, left.inner, left.out), places, strict=True):
            flags[:] = np.isin(np.arange(len(flags)), kept)
    return cut


def copy(cut: Cut) -> Cut:
    """A cut that can be changed by itself."""
    return {
        part: Left([flags.copy() for flags in left.reads], left.inner.copy(), left.out.copy())
        for part, left in cut.items()
    }


def linear_sum(path: Path, part: Part) -> bool:
    """Whether an operator `sum` has a matrix: it has none where it is as wide as what it sums."""
    widths = [sum(channels(path, maker) for maker in makers) for makers in inputs(path, part)]
    return max(widths) != channels(path, part)


def _settle(path: Path, cut: Cut, part: Part) -> None:
    left = cut[part]
    made = available(path, cut, part)
    for flags, there in zip(left.reads, made, strict=True):
        flags &= there
    if part.kind == "gating":
        left.inner &= left.reads[1][: len(left.inner)]
        left.reads[1][:] = _fit(left.inner, len(left.reads[1]))
    if part.kind == "sum":
        width = len(left.inner)
        left.inner &= _fit(made[0], width) | _fit(made[1], width)
        if not linear_sum(path, part):
            left.inner &= left.out
            left.out &= left.inner
        for flags, there in zip(left.reads, made, strict=True):
            flags[:] = there & left.inner[: len(there)]
    if not (_fed(part, left) and left.out.any()):
        left.clear()


def _fed(part: Part, left: Left) -> bool:
    """Whether all matrices of a part have inputs."""
    if part.kind in ("head", "sum"):
        return any(flags.any() for flags in left.reads)
    own = part.kind not in ("dot_product", "gating") or bool(left.inner.any())
    return own and all(flags.any() for flags in left.reads)


def _makers(path: Path, source: int, stream: str) -> list[Part]:
    """Whose channels the numbers or the tokens of a source are."""
    if source == 0:
        return [RAW[stream]]
    merger = Part(source, "dense_to_sparse", "dense_to_sparse")
    merged = stream == "sparse" and path.blocks[source - 1].dense_to_sparse
    return [_operator(path, source, stream), *([merger] if merged else [])]


def _operator(path: Path, number: int, stream: str) -> Part:
    block = path.blocks[number - 1]
    if stream == "dense":
        return Part(number, "dense", block.dense_operator)
    return Part(number, "sparse", block.sparse_operator)


def _inner(path: Path, part: Part, reads: list[Flags]) -> int:
    if part.kind == "dot_product":
        return int(balanced_tokens(channels(path, part)))
    if part.kind == "gating":
        return min(len(flags) for flags in reads)
    return max(len(flags) for flags in reads) if part.kind == "sum" else 0


def _pieces(path: Path, makers: list[Part], flags: Flags) -> Iterator[Flags]:
    """The flags of an input, maker by maker."""
    ends = np.cumsum([0, *(channels(path, maker) for maker in makers)])
    for start, end in pairwise(ends):
        yield flags[start:end]


def _fit(flags: Flags, size: int) -> Flags:
    """The first of some flags, or some more that are not set."""
    return np.concatenate([flags, np.zeros(max(0, size - len(flags)), np.bool_)])[:size]


def _size(cut: Cut) -> int:
    return sum(int(f.sum()) for left in cut.values() for f in (*left.reads, left.inner, left.out))


def _flags(size: int) -> Flags:
    return np.ones(size, np.bool_)


def _name(part: Part) -> str:
    return f"{part.number}/{part.role}/{part.kind}"
