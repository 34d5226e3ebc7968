"""The way through an architecture, the same for a standalone model and for a path inside a supernet."""

from collections.abc import Callable, Sequence
from typing import Any

from recfactory.space.operators import operator
from recfactory.space.path import Path
from recfactory.space.wiring import Part, live_parts


def forward(
    path: Path,
    zero: Sequence[Any],
    run: Callable[[Part, list[Any]], Any],
    join: Callable[[list[Any]], Any],
    mean: Callable[[list[Any]], Any] | None = None,
) -> Any:
    """Runs the live parts of a path, each once, in order.

    The mergers of a block both read what its operators made; later blocks read what the mergers made of that.

    Args:
        path: the architecture.
        zero: source 0: numbers `(batch, space.raw_width)` and tokens `(batch, embedding_dim, fields)`.
        run: applies a part to what it reads.
        join: concatenates on the last axis.
        mean: of what several operators of a block made; only a mixture needs it.

    Returns:
        What `run` returned for the head.
    """
    streams: dict[str, list[Any]] = {"dense_sources": [zero[0]], "sparse_sources": [zero[1]]}
    *blocks, head = _by_block(path)
    for parts in blocks:
        both = []
        for role in ("dense", "sparse"):
            made = [run(part, _inputs(path, part, streams, join)) for part in parts if part.role == role]
            both.append(mean(made) if mean and len(made) > 1 else next(iter(made), None))
        merged = {part.role: run(part, both) for part in parts if part.role in ("dense_to_sparse", "fm")}
        streams["dense_sources"].append(merged.get("fm", both[0]))
        streams["sparse_sources"].append(merged.get("dense_to_sparse", both[1]))
    return run(head[0], [stream[-1] for stream in streams.values()])


def _by_block(path: Path) -> list[list[Part]]:
    """The live parts of each block, also of those without any; the head last."""
    *parts, head = live_parts(path)
    return [[p for p in parts if p.number == number] for number in range(1, len(path.blocks) + 1)] + [[head]]


def _inputs(
    path: Path, part: Part, streams: dict[str, list[Any]], join: Callable[[list[Any]], Any]
) -> list[Any]:
    block = path.blocks[part.number - 1]
    inputs = []
    for gene in operator(part.kind).reads:
        if gene in ("left", "right"):
            inputs.append(streams["dense_sources"][getattr(block, gene)])
        else:
            chosen = [streams[gene][source] for source in getattr(block, gene)]
            inputs.append(chosen[0] if len(chosen) == 1 else join(chosen))
    return inputs
