"""Operations of one example: products with matrices and of pairs, attention, element-wise work, lookups."""

from dataclasses import dataclass
from typing import Any

from hw.sizes import LONGEST, require_whole

ABSENT, MATRIX, PAIRS, ATTENTION, ELEMENTWISE, LOOKUP = range(6)


@dataclass(frozen=True)
class Operation:
    """One operation of one example; made by `matrix`, `pairs`, `attention`, `elementwise` or `lookup`.

    Args:
        name: of the operation, once per workload.
        kind: one of the kinds above.
        rows: inputs of a matrix; vectors of pair products; tokens of attention; rows looked up.
        columns: outputs of a matrix; vectors of pair products; tokens of attention; numbers in a row looked
            up.
        uses: times a matrix is applied; length of the vectors of pair products and attention.
        elements: results of element-wise work, or of attention's softmax; not looked at elsewhere.
        stored: numbers in the table of a lookup.
        weight_bits: of a matrix or a table; None for the machine's.
        activation_bits: of what a matrix multiplies; None for the machine's. What neither of the two is of
            has the width of the machine's datapath.
        after: names of the operations that it waits for.
    """

    name: str
    kind: int
    rows: int = 0
    columns: int = 0
    uses: int = 0
    elements: int = 0
    stored: int = 0
    weight_bits: int | None = None
    activation_bits: int | None = None
    after: tuple[str, ...] = ()


def matrix(name: str, inputs: int, outputs: int, *, uses: int = 1, **more: Any) -> Operation:
    """A product with a weight matrix, applied `uses` times.

    Args:
        name: of the operation, once per workload.
        inputs: numbers in a vector that is multiplied.
        outputs: numbers in a product.
        uses: vectors of one example that the matrix `(inputs, outputs)` is applied to.
        **more: `weight_bits`, `activation_bits` and `after`, as of `Operation`.

    Returns:
        The operation; sizes are checked by `Workload.of`.
    """
    return Operation(name, MATRIX, inputs, outputs, uses, **more)


def pairs(name: str, vectors: int, length: int, **more: Any) -> Operation:
    """Inner products of vectors with each other: all are computed, that of each pair is kept once.

    Args:
        name: of the operation, once per workload.
        vectors: of one example, `(vectors, length)`.
        length: numbers in a vector.
        **more: `after`, as of `Operation`.

    Returns:
        The operation; sizes are checked by `Workload.of`.
    """
    return Operation(name, PAIRS, vectors, vectors, length, **more)


def attention(name: str, tokens: int, width: int, heads: int = 1, **more: Any) -> Operation:
    """The core of self-attention: scores of all pairs of tokens, their softmax, the weighted sums.

    Its projections are matrices.

    Args:
        name: of the operation, once per workload.
        tokens: of one example; queries, keys and values are `(tokens, width)` each.
        width: numbers in a token, of all heads together; a head has `width / heads` of them.
        heads: softmaxes of `(tokens, tokens)` scores.
        **more: `after`, as of `Operation`.

    Returns:
        The operation; its width is checked by `Workload.of`.

    Raises:
        HardwareError: for tokens or heads that are no whole numbers.
    """
    require_whole("tokens", name, tokens, LONGEST)
    require_whole("heads", name, heads, LONGEST)
    return Operation(name, ATTENTION, tokens, tokens, width, int(heads) * int(tokens) ** 2, **more)


def elementwise(name: str, elements: int, **more: Any) -> Operation:
    """Work number by number.

    Args:
        name: of the operation, once per workload.
        elements: results for one example, a multiply-add each.
        **more: `after`, as of `Operation`.

    Returns:
        The operation; sizes are checked by `Workload.of`.
    """
    return Operation(name, ELEMENTWISE, elements=elements, **more)


def lookup(name: str, rows: int, width: int, stored: int, **more: Any) -> Operation:
    """Embeddings read from tables.

    Args:
        name: of the operation, once per workload.
        rows: embeddings read for one example.
        width: numbers in an embedding.
        stored: numbers in the tables, all of them together.
        **more: `weight_bits` and `after`, as of `Operation`.

    Returns:
        The operation; sizes are checked by `Workload.of`.
    """
    return Operation(name, LOOKUP, rows, width, stored=stored, **more)
