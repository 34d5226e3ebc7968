"""The operators by name: what each reads, and the operations it consists of.

An operator of one's own is one file: a Keras layer (see `recfactory/layers/operator.py`) and a `register`.
"""

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any, Literal

import numpy as np

from recfactory.errors import UserError, did_you_mean
from recfactory.space.axes import Axis, below_diagonal, first, unit_of, whole
from recfactory.space.operations import NORM, Linear, Operation, Products

Stream = Literal["dense", "sparse"]
Gene = Literal["dense_sources", "sparse_sources", "left", "right"]
HEADS = 8
"""Of attention; fewer where they do not divide the embedding."""


@dataclass(frozen=True, eq=False)
class Reads:
    """What an operator finds in its block; sizes may be arrays where many paths are counted at once.

    Args:
        embedding_dim: numbers in a token.
        dims: the sizes that its output can have.
        dim: its output: numbers of a dense operator, tokens of a sparse one.
        dense: the numbers of the dense sources, concatenated.
        sparse: the tokens of the sparse sources, concatenated.
        left: the numbers of the left source.
        right: the numbers of the right source.
        left_source: which source is the left one.
        right_source: which source is the right one.
        widest: numbers in the widest source there can be.
    """

    embedding_dim: int
    dims: tuple[int, ...]
    dim: Axis
    dense: Axis = field(default_factory=lambda: whole(0))
    sparse: Axis = field(default_factory=lambda: whole(0))
    left: Axis = field(default_factory=lambda: whole(0))
    right: Axis = field(default_factory=lambda: whole(0))
    left_source: int = 0
    right_source: int = 0
    widest: int = 0


@dataclass(frozen=True)
class Operator:
    """One choice of a block.

    Args:
        name: in paths and their files.
        stream: whether it makes numbers or tokens.
        reads: the genes that matter to it.
        operations: what it computes, from what it reads.
        layer: its Keras layer, as "module:Class".
        symmetric: whether left and right may change places.
    """

    name: str
    stream: Stream
    reads: tuple[Gene, ...]
    operations: Callable[[Reads], tuple[Operation, ...]]
    layer: str
    symmetric: bool = False


_OPERATORS: dict[str, Operator] = {}


def register(operator: Operator) -> Operator:
    """Makes an operator known by its name.

    Raises:
        ValueError: when the name is taken by another.
    """
    if _OPERATORS.setdefault(operator.name, operator) is not operator:
        raise ValueError(f"there is an operator '{operator.name}' already")
    return operator


def operator(name: str) -> Operator:
    """The operator of this name.

    Raises:
        UserError: listing the names there are.
    """
    if name not in _OPERATORS:
        near = did_you_mean(name, _OPERATORS)
        raise UserError(f"there is no operator '{name}'; there are {', '.join(_OPERATORS)}{near}")
    return _OPERATORS[name]


def operator_names() -> tuple[str, ...]:
    """The names of all operators there are."""
    return tuple(_OPERATORS)


def balanced_tokens(dim: Any) -> Any:
    """Tokens whose pairs are about as many as `dim` outputs (NASRec, operator balancing)."""
    tokens = np.round(np.sqrt(2.0 * np.asarray(dim))).astype(np.int64)
    return int(tokens) if np.ndim(dim) == 0 else tokens


def _fc(reads: Reads) -> tuple[Operation, ...]:
    return (Linear("kernel", reads.dense, reads.dim, vectors=NORM),)


def _gating(reads: Reads) -> tuple[Operation, ...]:
    # Beyond the narrower of the two the zero-padded product is zero, so that it is not computed.
    overlap, right = np.minimum(reads.left.size, reads.right.size), reads.right
    overlap = int(overlap) if np.ndim(overlap) == 0 else overlap
    gates = first(overlap, reads.left.full)
    gated = Axis(overlap, right.full, None if right.places is None else right.places[:overlap])
    variant = reads.left_source
    return (
        Linear("gate", reads.left, gates, vectors=(), variant=variant, by_output=True),
        Linear("offset", whole(0), gates, variant=variant),
        Linear("kernel", gated, reads.dim, vectors=NORM),
    )


def _sum(reads: Reads) -> tuple[Operation, ...]:
    width = np.maximum(reads.left.size, reads.right.size)
    width = np.where(width == reads.dim.size, 0, width)
    inputs = first(int(width) if np.ndim(width) == 0 else width, reads.widest)
    return (Linear("kernel", inputs, reads.dim, vectors=NORM),)


def _dot_product(reads: Reads) -> tuple[Operation, ...]:
    tokens, most = balanced_tokens(reads.dim.size), balanced_tokens(max(reads.dims))
    reduced = first(tokens, most, unit_of(balanced_tokens(dim) for dim in reads.dims))
    return (
        Linear("project", reads.dense, whole(reads.embedding_dim)),
        Linear("reduce", reads.sparse, reduced, uses=reads.embedding_dim),
        Products("pairs", tokens + 1, tokens + 1, reads.embedding_dim),
        Linear("kernel", below_diagonal(tokens + 1, most + 1), reads.dim, vectors=NORM),
    )


def _efc(reads: Reads) -> tuple[Operation, ...]:
    return (Linear("kernel", reads.sparse, reads.dim, uses=reads.embedding_dim, vectors=NORM),)


def _attention(reads: Reads) -> tuple[Operation, ...]:
    width, tokens = reads.embedding_dim, reads.dim.size
    return (
        Linear("kernel", reads.sparse, reads.dim, uses=width),
        Linear("qkv", whole(width), whole(3 * width), uses=tokens),
        Products("scores", tokens, tokens, width),
        Products("mix", tokens, width, tokens),
        Linear("out", whole(width), whole(width), uses=tokens, vectors=NORM),
        Linear("expand", whole(width), whole(width), uses=tokens),
        Linear("contract", whole(width), whole(width), uses=tokens, vectors=NORM),
    )


def dense_to_sparse(dense: Axis, embedding_dim: int, tokens: int) -> tuple[Operation, ...]:
    """The merger that makes `tokens` tokens of a block's numbers."""
    return (Linear("kernel", dense, whole(tokens * embedding_dim)),)


def fm(dense: Axis, embedding_dim: int) -> tuple[Operation, ...]:
    """The merger that adds the pairwise interactions of a block's tokens to its numbers (FM)."""
    return (Linear("kernel", whole(embedding_dim), dense),)


def head(inputs: Axis) -> tuple[Operation, ...]:
    """The linear layer to the logit."""
    return (Linear("kernel", inputs, whole(1)),)


_LAYERS = "recfactory.layers"
register(Operator("fc", "dense", ("dense_sources",), _fc, f"{_LAYERS}.fc:FC"))
register(Operator("gating", "dense", ("left", "right"), _gating, f"{_LAYERS}.gating:SigmoidGating"))
register(Operator("sum", "dense", ("left", "right"), _sum, f"{_LAYERS}.sum:Sum", symmetric=True))
register(
    Operator(
        "dot_product",
        "dense",
        ("dense_sources", "sparse_sources"),
        _dot_product,
        f"{_LAYERS}.dot_product:DotProduct",
    )
)
register(Operator("efc", "sparse", ("sparse_sources",), _efc, f"{_LAYERS}.efc:EFC"))
register(Operator("attention", "sparse", ("sparse_sources",), _attention, f"{_LAYERS}.attention:Attention"))
