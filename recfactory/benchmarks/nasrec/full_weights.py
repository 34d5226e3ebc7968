"""A path's weights in matrices of full size, as NASRec's public code keeps them for its masked operators."""

from collections.abc import Iterator
from typing import Any

import numpy as np
import numpy.typing as npt

from recfactory.space.axes import below_diagonal
from recfactory.space.operations import Linear
from recfactory.space.operators import balanced_tokens
from recfactory.space.path import Path
from recfactory.space.space import Space
from recfactory.space.wiring import Part, operations
from recfactory.supernet.supernet import Supernet

Floats = npt.NDArray[np.float32]
Places = npt.NDArray[np.int64]
Arrays = dict[str, Floats]
UNUSED = 0.01
"""Deviation of the weights that the path does not use."""


def full_weights(supernet: Supernet, path: Path, seed: int = 0) -> Arrays:
    """The weights of all of a path's operators, those that nothing reads included.

    Args:
        supernet: that they are of.
        path: the architecture.
        seed: of the weights that the path does not use.

    Returns:
        Arrays by name, `NUMBER/KIND/OPERATION/PLACE`: of each linear layer the matrix `(inputs, outputs)` at
        place 0, its vectors after it.
    """
    rng = np.random.default_rng(seed)
    found: Arrays = {}
    for part in path_parts(path):
        slices = supernet.parts[part].slices(path)
        for linear in operations(path, part):
            if isinstance(linear, Linear):
                matrix, *vectors = (value.numpy() for value in slices[linear.name].matrix())
                matrix = matrix.T if linear.by_output else matrix
                name = f"{part.number}/{part.kind}/{linear.name}"
                found |= _widened(name, path, part, linear, matrix, vectors, rng)
    return found


def path_parts(path: Path) -> Iterator[Part]:
    """The parts of a path, also those that its output does not depend on."""
    for number, block in enumerate(path.blocks, 1):
        yield Part(number, "dense", block.dense_operator)
        yield Part(number, "sparse", block.sparse_operator)
        if block.dense_to_sparse:
            yield Part(number, "dense_to_sparse", "dense_to_sparse")
        if block.fm:
            yield Part(number, "fm", "fm")
    yield Part(len(path.blocks), "head", "head")


def full_widths(space: Space) -> list[int]:
    """Numbers of each source, at full width."""
    return [space.raw_width, *[space.dense_dims[-1]] * space.blocks]


def _widened(
    name: str,
    path: Path,
    part: Part,
    linear: Linear,
    matrix: Floats,
    vectors: list[Floats],
    rng: np.random.Generator,
) -> Arrays:
    """A linear layer's weights at full size, by the name of each."""
    inputs, outputs = linear.inputs, linear.outputs
    assert inputs.places is not None
    assert outputs.places is not None
    rows, columns, shape = inputs.places, outputs.places, (inputs.full, outputs.full)
    silent: Any = ()
    if part.kind in ("gating", "sum"):
        # Both read all sources side by side: a source's numbers are at its own place.
        block, widths = path.blocks[part.number - 1], full_widths(path.space)[: part.number]
        start, total = np.cumsum([0, *widths]), sum(widths)
        left, right = (start[i] + np.arange(path.dense_width(i)) for i in (block.left, block.right))
        if part.kind == "sum":
            matrix = matrix if len(matrix) else np.eye(outputs.size, dtype=np.float32)
            rows = np.concatenate([left, right])
            matrix = np.concatenate([matrix[: len(left)], matrix[: len(right)]])
            shape = (total, outputs.full)
        elif linear.name == "kernel":
            # The gates of numbers that the left source has no counterpart of are not 0 here.
            silent, shape = right[inputs.size :], (total, outputs.full)
        else:
            rows, columns = (left if linear.name == "gate" else rows), right[: outputs.size]
            shape = (total if linear.name == "gate" else 0, total)
    elif part.kind == "dot_product" and linear.name == "kernel":
        rows = _pairs(outputs.size, path.space)
    full = rng.normal(0.0, UNUSED, shape).astype(np.float32)
    full[silent,] = 0.0
    full[np.ix_(rows, columns)] = matrix
    made = {f"{name}/0": full}
    for place, vector in enumerate(vectors, 1):
        whole = rng.normal(0.0, UNUSED, shape[1]).astype(np.float32)
        whole[columns] = vector
        made[f"{name}/{place}"] = whole
    return made


def _pairs(dim: int, space: Space) -> Places:
    """The rows of a path's pairs among those of all tokens, of which the numbers' is the last one."""
    few, most = balanced_tokens(dim), balanced_tokens(space.dense_dims[-1])
    places, all_places = below_diagonal(few + 1, most + 1).places, below_diagonal(most + 1, most + 1).places
    assert places is not None
    assert all_places is not None
    with_numbers = places >= few * (few - 1) // 2
    moved = places + with_numbers * (most * (most - 1) // 2 - few * (few - 1) // 2)
    rows = np.empty(len(all_places), np.int64)
    rows[all_places] = np.arange(len(all_places))
    return rows[moved]
