"""What can be removed of a path in one piece, and what its weights are worth."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import NamedTuple

import numpy as np
import numpy.typing as npt

from recfactory.pruning.anatomy import operations, pairs, remaining
from recfactory.pruning.cut import Cut, Flags, channels, inputs
from recfactory.space.operations import Linear
from recfactory.space.path import Path
from recfactory.space.wiring import Part

Floats = npt.NDArray[np.float64]
Values = Mapping[tuple[Part, str], Floats]
"""The worth of each weight: a matrix `(inputs, outputs)` per part and name of its operation."""


class Place(NamedTuple):
    """Neighbouring flags of a cut.

    Args:
        part: whose.
        what: an input's number, or `inner` or `out`.
        start: the first.
        stop: after the last.
    """

    part: Part
    what: int | str
    start: int
    stop: int

    def around(self, cut: Cut) -> Flags:
        """All flags of this kind of the part, as a view."""
        left = cut[self.part]
        if isinstance(self.what, int):
            return left.reads[self.what]
        return left.inner if self.what == "inner" else left.out

    def flags(self, cut: Cut) -> Flags:
        """The flags, as a view."""
        return self.around(cut)[self.start : self.stop]


class Group(NamedTuple):
    """Something that is removed in one piece.

    Args:
        place: what to clear; all else follows.
        worth: that of its weights, per multiply-accumulate that goes with them.
    """

    place: Place
    worth: float


def groups(path: Path, cut: Cut, values: Values) -> list[Group]:
    """All that can be removed of what is left, the least worth first.

    They are: a channel, with the column that makes it and the rows that read it; a row of one reader where
    others read the channel too; a whole source of a reader that has several; an operator's own reduced
    tokens, gates and summed places; an FM merger. Raw inputs stay while what reads them does: small weights
    may belong to large embeddings, and nothing else could tell what a column of the data does.

    Args:
        path: the architecture.
        cut: closed; what is left of it.
        values: of the weights that are left.
    """
    tallies = {part: _tally(path, cut, part, values) for part in remaining(path, cut)}
    channel = {part: _Sums(channels(path, part)) for part in cut}
    readers = {part: np.zeros(channels(path, part), np.int64) for part in cut}
    for part, tally in tallies.items():
        channel[part].add(slice(None), tally.out)
        if part.role == "fm":
            dense = next(p for p in cut if p.number == part.number and p.role == "dense")
            channel[dense].add(slice(None), tally.columns)
        for maker, here in _segments(path, part):
            flags = here.flags(cut)
            readers[maker] += flags
            channel[maker].add(slice(None), tally.read(here))
    found: list[Group] = []
    for part, left in cut.items():
        if part.number and part.role not in ("head", "fm"):
            found += _each(Place(part, "out", 0, len(left.out)), channel[part], left.out)
    for part, tally in tallies.items():
        found += _each(Place(part, "inner", 0, len(cut[part].inner)), tally.inner, cut[part].inner)
        if part.role == "fm":
            found += _each(Place(part, "out", 0, 1), tally.out, cut[part].out)
        segments = list(_segments(path, part))
        for maker, here in segments:
            if not maker.number:
                continue
            sums = tally.read(here)
            found += _each(here, sums, here.flags(cut) & (readers[maker] > 1))
            if len(segments) > 1 and sums.macs.sum():
                found.append(Group(here, float(sums.total.sum() / sums.macs.sum())))
    return sorted(found, key=lambda group: group.worth)


@dataclass
class _Sums:
    """Sums of worths and of multiply-accumulates, per channel of the whole path."""

    size: int
    total: Floats = field(init=False)
    macs: Floats = field(init=False)

    def __post_init__(self) -> None:
        self.total, self.macs = np.zeros((2, self.size))

    def add(self, where: "Flags | slice", other: "_Sums") -> None:
        """Adds sums to those at some places."""
        self.total[where] += other.total
        self.macs[where] += other.macs

    def put(self, where: Flags, matrix: Floats, uses: int) -> None:
        """Adds the sums over the rows of a matrix that is applied so often to an example, a row per place."""
        self.total[where] += matrix.sum(axis=1)
        self.macs[where] += matrix.shape[1] * uses


@dataclass
class _Tally:
    """The weights of a part, summed by what they read and make.

    Args:
        reads: per input.
        inner: of its inner channels.
        out: of its output channels.
        columns: of the numbers that an FM merger adds to.
    """

    reads: list[_Sums]
    inner: _Sums
    out: _Sums
    columns: _Sums

    def read(self, place: Place) -> _Sums:
        """The sums of a part of an input."""
        assert isinstance(place.what, int)
        whole, found = self.reads[place.what], _Sums(place.stop - place.start)
        found.total += whole.total[place.start : place.stop]
        found.macs += whole.macs[place.start : place.stop]
        return found


def _tally(path: Path, cut: Cut, part: Part, values: Values) -> _Tally:
    left = cut[part]
    reads = [_Sums(len(flags)) for flags in left.reads]
    tally = _Tally(reads, _Sums(len(left.inner)), _Sums(len(left.out)), _Sums(0))
    width = path.space.embedding_dim
    linears = {o.name: o for o in operations(path, cut, part) if isinstance(o, Linear)}
    named = {name: values[part, name] for name in linears if (part, name) in values}
    kernel = named.get("kernel", np.zeros((0, int(left.out.sum()))))
    uses = {name: linear.uses for name, linear in linears.items()}
    often = uses.get("kernel", 1)
    if part.role == "head":
        numbers = int(left.reads[0].sum())
        reads[0].put(left.reads[0], kernel[:numbers], often)
        reads[1].put(left.reads[1], _by_token(kernel[numbers:], width), often)
    elif part.role == "dense_to_sparse":
        reads[0].put(left.reads[0], kernel, often)
        tally.out.put(left.out, _by_token(kernel.T, width), often)
    elif part.role == "fm":
        dense = next(found for p, found in cut.items() if p.number == part.number and p.role == "dense")
        tally.out.put(left.out, kernel.reshape(1, -1), often)
        tally.columns = _Sums(len(dense.out))
        tally.columns.put(dense.out, kernel.T, often)
    else:
        tally.out.put(left.out, kernel.T, often)
        if part.kind == "dot_product":
            reads[0].put(left.reads[0], named["project"], uses["project"])
            reads[1].put(left.reads[1], named["reduce"], uses["reduce"])
            tally.inner.put(left.inner, named["reduce"].T, uses["reduce"])
            _put_pairs(tally.inner, left.inner, kernel)
        elif part.kind == "gating":
            reads[0].put(left.reads[0], named["gate"], uses["gate"])
            tally.inner.put(left.inner, named["gate"].T, uses["gate"])
            tally.inner.put(left.inner, kernel, often)
        elif part.kind == "sum":
            if len(kernel):
                tally.inner.put(left.inner, kernel, often)
        else:
            reads[0].put(left.reads[0], kernel, often)
    return tally


def _put_pairs(sums: _Sums, inner: Flags, kernel: Floats) -> None:
    """Adds the rows of a matrix of pairs to both of their tokens; the last token, of the numbers, stays."""
    tokens = int(inner.sum()) + 1
    places = np.flatnonzero(inner)
    for side in pairs(tokens):
        own = side < tokens - 1
        np.add.at(sums.total, places[side[own]], kernel[own].sum(axis=1))
        np.add.at(sums.macs, places[side[own]], kernel.shape[1])


def _by_token(rows: Floats, width: int) -> Floats:
    """Rows of flattened tokens, `(width * tokens, n)`, as one row a token."""
    tokens = len(rows) // width
    return rows.reshape(width, tokens, -1).transpose(1, 0, 2).reshape(tokens, -1)


def _segments(path: Path, part: Part) -> Iterator[tuple[Part, Place]]:
    """Whose channels a part reads, and where they stand in its inputs."""
    for number, makers in enumerate(inputs(path, part)):
        start = 0
        for maker in makers:
            stop = start + channels(path, maker)
            yield maker, Place(part, number, start, stop)
            start = stop


def _each(place: Place, sums: _Sums, chosen: Flags) -> Iterator[Group]:
    """A group for each chosen channel that has weights."""
    for i in np.flatnonzero(chosen & (sums.macs > 0)):
        at = place.start + int(i)
        yield Group(place._replace(start=at, stop=at + 1), float(sums.total[i] / sums.macs[i]))
