"""What paths ask of a machine, many at once.

All paths of a space share one list of operations; what a path lacks is absent in its row. A block has one
dense and one sparse operator, so that the operators of a stream take the same places in the list.
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace
from functools import cache
from typing import Any, NamedTuple

import numpy as np
import numpy.typing as npt

from hw.operation import ABSENT, ELEMENTWISE, LOOKUP
from hw.sizes import Integers
from hw.workload import Workload
from recfactory.codesign.steps import Step, steps
from recfactory.features.layout import Layout
from recfactory.quantise.precision import Precision, slots
from recfactory.space.cost import each_part
from recfactory.space.genes import choices, columns, encode
from recfactory.space.operations import Operation
from recfactory.space.operators import Stream
from recfactory.space.path import Path
from recfactory.space.space import Space
from recfactory.space.wiring import Part, Role

AnyRows = npt.NDArray[np.integer[Any]]
LOOKUPS, MEAN = "embedding.lookup", "embedding.mean"
_MERGERS: Mapping[Stream, Role] = {"dense": "fm", "sparse": "dense_to_sparse"}
"""The part that has the last say in what a block's stream is."""
_SIZES = ("kind", "rows", "columns", "uses", "elements")


class Places(NamedTuple):
    """Where the operations of a space stand in its list.

    Args:
        names: of all operations.
        role: first and behind the last operation of each part of each block, by number and role.
        slot: of each operation among `precision.slots`; -1 for the lookup.
    """

    names: tuple[str, ...]
    role: dict[tuple[int, Role], slice]
    slot: npt.NDArray[np.intp]

    def of(self, part: Part, count: int) -> list[int]:
        """The places of a part's `count` operations; the last one is where that of every operator is."""
        own = self.role[part.number, part.role]
        return [*range(own.start, own.start + count - 1), own.stop - 1]

    def last(self, number: int, role: Role) -> int:
        """The last operation of a part."""
        return int(self.role[number, role].stop) - 1

    def end(self, source: int, stream: Stream) -> int:
        """The operation after which a source's numbers (`dense`) or tokens (`sparse`) are there."""
        return self.last(source, _MERGERS[stream]) if source else 1


@cache
def places(space: Space) -> Places:
    """Where the operations of a space stand."""
    longest: dict[tuple[int, Role], int] = {}
    nothing = np.zeros((0, len(choices(space))), np.int16)
    for part, _, made in each_part(space, nothing):
        own = (part.number, part.role)
        longest[own] = max(longest.get(own, 0), len(steps(part, made)))
    order = list(slots(space))
    names, slot, role = [LOOKUPS, MEAN], [-1, -1], {}
    for own in sorted(longest, key=order.index):
        role[own] = slice(len(names), len(names) + longest[own])
        names += [f"block_{own[0]}_{own[1]}.{place}" for place in range(longest[own])]
        slot += [order.index(own)] * longest[own]
    return Places(tuple(names), role, np.array(slot))


def paths_workload(
    space: Space,
    rows: AnyRows,
    layout: Layout,
    weight_bits: AnyRows | int = 0,
    activation_bits: AnyRows | int = 0,
    embedding_bits: AnyRows | int = 0,
) -> Workload:
    """The workload of many paths. It takes some 15 kB a path: take thousands at a time.

    Args:
        space: that they lie in.
        rows: `(n, length)`, see `recfactory/space/genes.py`.
        layout: of the features.
        weight_bits: by path and slot (`precision.slots`), `(n, slots)`; 0 for the machine's.
        activation_bits: likewise.
        embedding_bits: of the table, `(n,)`; 0 for the machine's.
    """
    found, n = places(space), len(rows)
    shape = (n, len(found.names))
    sizes = {name: np.zeros(shape, np.int64) for name in _SIZES}
    waits = np.zeros((*shape, shape[1]), np.bool_)
    for number in range(1, space.blocks + 1):
        # A merger that is off passes on what its block's operator made.
        for stream in _MERGERS:
            waits[:, found.end(number, stream), found.last(number, stream)] = True
    for part, at, made in each_part(space, rows):
        todo = _steps(space, part, rows[at], made)
        own = dict(zip((step.name for step in todo), found.of(part, len(todo)), strict=True))
        for step in todo:
            place = own[step.name]
            for name in _SIZES:
                sizes[name][at, place] = getattr(step, name)
            for before in step.after:
                if before in own:
                    waits[at, place, own[before]] = True
                else:
                    for end, flags in _read(space, found, part, before, rows[at]):
                        waits[at, place, end] |= flags
    sizes["kind"][_are_empty(sizes)] = ABSENT
    _look_up(sizes, space, layout)
    waits[:, 1, 0] = True
    stored = np.zeros(shape, np.int64)
    stored[:, 0] = layout.table_rows * space.embedding_dim
    weights, activations = _by_operation(found, weight_bits, n), _by_operation(found, activation_bits, n)
    weights[:, 0] = embedding_bits
    return Workload(
        found.names, **sizes, stored=stored, weight_bits=weights, activation_bits=activations, waits=waits
    )


def path_workload(path: Path, layout: Layout, precision: Precision | None = None) -> Workload:
    """The workload of one path, without what it lacks; operations are named after layers.

    Args:
        path: the architecture.
        layout: of the features.
        precision: bits of its operators and of the table; None, or one without bits, for the machine's.
    """
    rows = encode([path])
    whole = paths_workload(path.space, rows, layout, **bits_by_slot(path.space, precision))
    names = list(whole.names)
    for part, at, made in each_part(path.space, rows):
        todo = _steps(path.space, part, rows[at], made) if len(at) else ()
        for step, place in zip(todo, places(path.space).of(part, len(todo)) if todo else (), strict=True):
            names[place] = f"{part.name}.{step.name}"
    return without_absent(replace(whole, names=tuple(names)))


def without_absent(workload: Workload) -> Workload:
    """The workload of one network without absent operations; the others wait for what those waited for."""
    waits = workload.waits[0].copy()
    for place in np.flatnonzero(workload.kind[0] == ABSENT):
        waits |= waits[:, place, None] & waits[place]
    kept = np.flatnonzero(workload.kind[0] != ABSENT)
    arrays = ("kind", "rows", "columns", "uses", "elements", "stored", "weight_bits", "activation_bits")
    return Workload(
        names=tuple(workload.names[place] for place in kept),
        waits=waits[np.newaxis][:, kept][:, :, kept],
        **{name: getattr(workload, name)[:, kept] for name in arrays},
    )


def _steps(space: Space, part: Part, rows: AnyRows, made: Sequence[Operation]) -> tuple[Step, ...]:
    if part.role != "fm":
        return steps(part, made)
    tokens = np.array(space.sparse_dims)[rows[:, columns(space)[part.number - 1].sparse_dim]]
    return steps(part, made, tokens, space.embedding_dim)


def _read(
    space: Space, found: Places, part: Part, what: str, rows: AnyRows
) -> Iterator[tuple[int, npt.NDArray[np.bool_] | bool]]:
    """The operations that make what a part reads, each with the paths in which it does read it."""
    if what in _MERGERS:
        stream: Stream = "dense" if what == "dense" else "sparse"
        made = found.end if part.role == "head" else found.last
        yield made(part.number, stream), True
        return
    c = columns(space)[part.number - 1]
    stream = "sparse" if what == "sparse_sources" else "dense"
    for source in range(part.number):
        if source or stream == "sparse" or space.raw_dense != "numbers":
            chosen = rows[:, getattr(c, what)]
            yield found.end(source, stream), chosen == source if chosen.ndim == 1 else chosen[:, source] == 1


def _are_empty(sizes: Mapping[str, Integers]) -> npt.NDArray[np.bool_]:
    products = sizes["rows"] * sizes["columns"] * sizes["uses"]
    return np.asarray(np.where(sizes["kind"] == ELEMENTWISE, sizes["elements"], products) == 0)


def _look_up(sizes: dict[str, Integers], space: Space, layout: Layout) -> None:
    """Every slot is looked up; the slots of a multi-valued column are averaged."""
    sizes["kind"][:, 0], sizes["rows"][:, 0], sizes["columns"][:, 0] = (
        LOOKUP,
        layout.slots,
        space.embedding_dim,
    )
    if layout.slots > len(layout.fields):
        sizes["kind"][:, 1], sizes["elements"][:, 1] = ELEMENTWISE, layout.slots * space.embedding_dim


def bits_by_slot(space: Space, precision: Precision | None) -> dict[str, Any]:
    """Bits as `paths_workload` takes them.

    Args:
        space: of the operators.
        precision: their bits; None, or one without bits, for the machine's.
    """
    if precision is None or not precision.bits:
        return {}
    found = [precision.bits.get(slot) for slot in slots(space)]
    return {
        "weight_bits": np.array([bits.weight if bits else 0 for bits in found]),
        "activation_bits": np.array([bits.activation if bits else 0 for bits in found]),
        "embedding_bits": precision.embedding,
    }


def _by_operation(found: Places, bits: AnyRows | int, n: int) -> Integers:
    """Bits by slot as bits by operation, `(n, operations)`."""
    by_slot = np.broadcast_to(np.atleast_2d(bits), (n, int(found.slot.max()) + 1))
    return np.where(found.slot >= 0, by_slot[:, found.slot], 0).astype(np.int64)
