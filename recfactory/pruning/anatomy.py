"""What the parts of a cut path compute, with the places that are left of the whole path's matrices."""

from collections.abc import Iterator, Mapping

import numpy as np

from recfactory.pruning.cut import Cut, Flags, Left, linear_sum
from recfactory.space.axes import Axis, Places, below_diagonal, whole
from recfactory.space.operations import NORM, Linear, Operation, Products
from recfactory.space.operators import Reads, fm, head, operator
from recfactory.space.path import Path
from recfactory.space.wiring import Part, live_parts


def remaining(path: Path, cut: Cut) -> Iterator[Part]:
    """The parts of a path of which something is left."""
    return (part for part in live_parts(path) if cut[part].alive)


def macs(path: Path, cut: Cut) -> int:
    """Multiply-accumulates per example of what is left."""
    return sum(int(o.macs) for part in remaining(path, cut) for o in operations(path, cut, part))


def nonzero_macs(path: Path, cut: Cut, nonzero: Mapping[tuple[Part, str], int]) -> int:
    """Multiply-accumulates of what is left, without those of weights that are 0.

    Only hardware that skips single zeros saves them; `macs` are what all other hardware does.

    Args:
        path: the architecture.
        cut: what is left of it.
        nonzero: weights that are not 0, per part and name of a matrix.
    """
    total = 0
    for part in remaining(path, cut):
        for o in operations(path, cut, part):
            weights = nonzero.get((part, o.name)) if isinstance(o, Linear) else None
            total += int(o.macs) if weights is None or not isinstance(o, Linear) else weights * o.uses
    return total


def operations(path: Path, cut: Cut, part: Part) -> tuple[Operation, ...]:
    """What a part computes that has something left.

    The axes of its matrices hold the places that are left of those of the whole path, in the order of the
    smaller matrix.
    """
    left, width = cut[part], path.space.embedding_dim
    out = axis(left.out)
    if part.kind == "dot_product":
        return _dot_product(left, width)
    if part.kind == "gating":
        gates = axis(left.inner)
        return (
            Linear("gate", axis(left.reads[0]), gates, vectors=(), by_output=True),
            Linear("offset", whole(0), gates),
            Linear("kernel", gates, out, vectors=NORM),
        )
    if part.kind == "sum":
        summed = axis(left.inner) if linear_sum(path, part) else whole(0)
        return (Linear("kernel", summed, out, vectors=NORM),)
    if part.role == "dense_to_sparse":
        return (Linear("kernel", axis(left.reads[0]), _flat(left.out, width)),)
    if part.role == "fm":
        return fm(axis(_numbers(cut, part).out), width)
    if part.role == "head":
        numbers, tokens = axis(left.reads[0]), _flat(left.reads[1], width)
        assert numbers.places is not None
        assert tokens.places is not None
        places = np.concatenate([numbers.places, numbers.full + tokens.places])
        return head(Axis(len(places), numbers.full + tokens.full, places))
    entry = operator(part.kind)
    read = axis(left.reads[0])
    return entry.operations(Reads(width, (len(left.out),), out, dense=read, sparse=read))


def axis(flags: Flags) -> Axis:
    """The places that are set."""
    places = np.flatnonzero(flags)
    return Axis(len(places), len(flags), places)


def pairs(tokens: int) -> tuple[Places, Places]:
    """The later and the earlier token of each packed pair of tokens, see `axes.below_diagonal`."""
    places = below_diagonal(tokens, tokens).places
    assert places is not None
    later = ((1 + np.sqrt(1.0 + 8.0 * places)) / 2).astype(np.int64)
    return later, places - later * (later - 1) // 2


def _dot_product(left: Left, width: int) -> tuple[Operation, ...]:
    reduced = axis(left.inner)
    tokens = reduced.size + 1
    # The numbers' token is the last one.
    names = np.append(np.flatnonzero(left.inner), len(left.inner))
    later, earlier = (names[side] for side in pairs(tokens))
    full = len(left.inner) * (len(left.inner) + 1) // 2
    kept = Axis(len(later), full, later * (later - 1) // 2 + earlier)
    return (
        Linear("project", axis(left.reads[0]), whole(width)),
        Linear("reduce", axis(left.reads[1]), reduced, uses=width),
        Products("pairs", tokens, tokens, width),
        Linear("kernel", kept, axis(left.out), vectors=NORM),
    )


def _flat(tokens: Flags, width: int) -> Axis:
    """Tokens as numbers: all first coordinates, then all second ones."""
    return axis(np.tile(tokens, width))


def _numbers(cut: Cut, merger: Part) -> Left:
    """The dense operator whose numbers the FM merger adds to."""
    return next(left for part, left in cut.items() if part.number == merger.number and part.role == "dense")
