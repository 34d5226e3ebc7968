"""What a part of an architecture asks of a machine: its matrix products, and its work element by element.

The products are those of the operator's own description (`recfactory/space/operators.py`). They run one
after another unless `WAITS` says otherwise; an operator of one's own needs no entry. All that a part does
element by element stands behind its products as one operation, `elements`: along a chain it makes no
difference where.
"""

from collections.abc import Callable, Mapping, Sequence
from math import gcd
from types import MappingProxyType
from typing import Any, NamedTuple

import numpy as np

from hw.operation import ATTENTION, ELEMENTWISE, MATRIX, PAIRS
from recfactory.space.operations import NORM, Linear, Operation
from recfactory.space.operators import HEADS, operator
from recfactory.space.wiring import Part

LAYER_NORMALISED, BIASED = 4, 1
"""Multiply-adds per result of a linear layer. Layer-normalised, as attention is, bias included: to its sum,
to its sum of squares, gain, shift. The other operators of a trained path are batch-normalised: in serving a
part of the matrix and of its bias. An activation is one more (assumption: a comparison or a look into a table
costs no more)."""
ELEMENTS = "elements"

Work = Callable[[Mapping[str, Any]], Any]


class Step(NamedTuple):
    """One operation of a part; sizes are numbers, or arrays over many paths.

    Args:
        name: within its part.
        kind: of `hw.operation`.
        rows: as of `hw.Operation`, like the sizes that follow.
        columns: see there.
        uses: see there.
        elements: see there.
        after: earlier steps of the part, or genes: the streams and sides that it reads.
    """

    name: str
    kind: int
    rows: Any = 0
    columns: Any = 0
    uses: Any = 0
    elements: Any = 0
    after: tuple[str, ...] = ()


def _gating(linear: Mapping[str, Any]) -> Any:
    return 2 * linear["offset"].outputs.size


def _sum(linear: Mapping[str, Any]) -> Any:
    kernel = linear["kernel"]
    # Without a matrix the sum is as wide as the output.
    return np.where(kernel.inputs.size == 0, kernel.outputs.size, kernel.inputs.size)


def _relu(linear: Mapping[str, Any]) -> Any:
    kernel = linear["kernel"]
    return kernel.outputs.size * kernel.uses


def _attention(linear: Mapping[str, Any]) -> Any:
    expand, residuals = linear["expand"], 2
    return (1 + residuals) * expand.outputs.size * expand.uses


WORK: Mapping[str, Work] = MappingProxyType(
    {
        "fc": _relu,
        "efc": _relu,
        "gating": _gating,
        "sum": _sum,
        "attention": _attention,
        "fm": _relu,
        "head": _relu,
    }
)
"""Results of a part beside those of biases and normalisation: activations, gates and their products, sums;
of FM, its addition to the numbers; of the head, the sigmoid."""
WAITS: Mapping[str, Mapping[str, tuple[str, ...]]] = MappingProxyType(
    {
        "gating": {"gate": ("left",), "kernel": ("gate", "right")},
        "dot_product": {
            "project": ("dense_sources",),
            "reduce": ("sparse_sources",),
            "pairs": ("project", "reduce"),
        },
        "dense_to_sparse": {"kernel": ("dense",), ELEMENTS: ("kernel", "sparse")},
        "fm": {"core": ("sparse",), "kernel": ("core",), ELEMENTS: ("kernel", "dense")},
        "head": {"kernel": ("dense", "sparse")},
    }
)
"""What an operation waits for where that is not the one before it, or for the first all that the part reads.
`dense` and `sparse` are what the block's operators made; of the head, what the last block made."""


def steps(part: Part, made: Sequence[Operation], tokens: Any = 0, width: int = 0) -> tuple[Step, ...]:
    """The operations of a part of many paths.

    Args:
        part: of an architecture.
        made: what it computes, see `recfactory/space/cost.py`.
        tokens: of FM, those that it reads.
        width: of FM, numbers in a token.

    Returns:
        One after another, the work element by element last; as many for any paths.
    """
    found: list[Step] = []
    if part.kind == "fm":
        # Sums of the tokens and of their squares, and the difference (Rendle 2010, lemma 3.1).
        found.append(Step("core", ELEMENTWISE, elements=(2 * tokens + 1) * width))
    linear = {one.name: one for one in made if isinstance(one, Linear)}
    elements = WORK[part.kind](linear) if part.kind in WORK else 0
    for one in made:
        if isinstance(one, Linear):
            results = one.outputs.size * one.uses
            elements = elements + results * _per_result(one, part.kind)
            # A bias under a name of its own has no inputs in any path: a number, not an array.
            if np.ndim(one.inputs.size) or one.inputs.size:
                found.append(Step(one.name, MATRIX, one.inputs.size, one.outputs.size, one.uses))
        elif part.kind == "attention" and one.name == "mix":
            continue  # with the scores, below
        elif part.kind == "attention":
            softmax = gcd(HEADS, one.length) * one.rows * one.columns
            found.append(Step(one.name, ATTENTION, one.rows, one.columns, one.length, softmax))
        else:
            found.append(Step(one.name, PAIRS, one.rows, one.columns, one.length))
    found.append(Step(ELEMENTS, ELEMENTWISE, elements=elements))
    return tuple(_in_order(part, found))


def _per_result(one: Linear, kind: str) -> int:
    if one.vectors == NORM:
        return LAYER_NORMALISED if kind == "attention" else BIASED
    return BIASED * len(one.vectors)


def _in_order(part: Part, found: Sequence[Step]) -> list[Step]:
    waits = WAITS.get(part.kind, {})
    reads = () if part.kind in WAITS or part.role in WAITS else operator(part.kind).reads
    return [
        step._replace(after=waits.get(step.name, (found[place - 1].name,) if place else reads))
        for place, step in enumerate(found)
    ]
