"""Hand-made architectures that lie in the space, as paths.

They are as near to their namesakes as the space allows; each says what differs. In all of them operators
normalise what they make, and the output also reads the last block's tokens, which are made of the embedded
fields: a wide part. Where the numbers of source 0 are only the dense columns, the embedded fields join the
MLP of `deepfm` and `dcn` through an FM merger; `raw_dense: both` gives them to it as they are.
"""

from collections.abc import Callable

from recfactory.errors import UserError
from recfactory.space.path import Block, Path
from recfactory.space.space import Space


def dlrm(space: Space) -> Path:
    """DLRM (Naumov et al., arXiv 1906.00091): a bottom MLP, its inner products with the fields, a top MLP.

    The top reads the interactions and the bottom's output, as there. The fields are reduced before the inner
    products (operator balancing), and the operator projects the bottom's output to the embedding's width.

    Args:
        space: with the operators `dot_product` and `efc`, and `fc` where it has more than one block.

    Raises:
        UserError: when the space lacks one of them, or operators that read two sources.
    """
    below, above = (space.blocks - 1) // 2, space.blocks // 2
    widths = [512 >> i for i in range(below)] + [512] + [512 >> i for i in range(above)]
    blocks = []
    for number, width in enumerate(widths, 1):
        if number == below + 1:
            block = _block(space, "dlrm", "dot_product", width, number - 1)
        elif number == below + 2 and below:
            block = _block(space, "dlrm", "fc", width, below, below + 1)
        else:
            block = _block(space, "dlrm", "fc", width, number - 1)
        blocks.append(block)
    return Path(space, tuple(blocks))


def deepfm(space: Space) -> Path:
    """DeepFM-like (Guo et al., arXiv 1703.04247): an MLP plus pairwise interactions plus a linear part.

    The interactions are those of the last block's tokens, which are mixtures of the fields, and are added to
    the MLP's last layer rather than to the logit.

    Args:
        space: with the operators `fc` and `efc`.

    Raises:
        UserError: when the space lacks one of them.
    """
    blocks = []
    for number in range(1, space.blocks + 1):
        fm = number == space.blocks or (number == 1 and space.raw_dense == "numbers")
        tokens = space.fields if fm else 0
        blocks.append(_block(space, "deepfm", "fc", 512, number - 1, fm=fm, tokens=tokens))
    return Path(space, tuple(blocks))


def dcn(space: Space) -> Path:
    """DCN-like (Wang et al., arXiv 2008.13535): cross layers beside an MLP, both read by the last block.

    A cross layer is here `gating` with the raw numbers as its right side, x0 * sigmoid(W x + b), then a
    linear layer; there it is x0 * (W x + b) + x.

    Args:
        space: with the operators `gating` and `efc`, and `fc` where it has more than one block.

    Raises:
        UserError: when the space lacks one of them, or operators that read two sources.
    """
    crosses = max(1, (space.blocks - 1) // 2)
    blocks = []
    for number in range(1, space.blocks + 1):
        joined = number in (1, crosses + 1) and space.raw_dense == "numbers"
        tokens = space.fields if joined else 0
        if number <= crosses:
            block = _block(space, "dcn", "gating", space.raw_width, number - 1, fm=joined, tokens=tokens)
        elif number < space.blocks:
            source = 0 if number == crosses + 1 else number - 1
            block = _block(space, "dcn", "fc", 512, source, fm=joined, tokens=tokens)
        else:
            deep = number - 1 if number - 1 > crosses else 0
            block = _block(space, "dcn", "fc", 512, *sorted({crosses, deep}))
        blocks.append(block)
    return Path(space, tuple(blocks))


HANDMADE: dict[str, Callable[[Space], Path]] = {"dlrm": dlrm, "deepfm": deepfm, "dcn": dcn}
"""The architectures by name."""


def _block(
    space: Space, model: str, dense: str, width: int, *sources: int, fm: bool = False, tokens: int = 0
) -> Block:
    """A block of about `width` numbers and `tokens` tokens, the tokens made of the raw fields."""
    for name in (dense, "efc"):
        if name not in space.dense_operators + space.sparse_operators:
            raise UserError(
                f"{model} needs the operator '{name}', which the space lacks; add it to the space"
            )
    if len(sources) > space.max_sources:
        raise UserError(
            f"{model} needs operators that read {len(sources)} sources; raise the space's max_sources"
        )
    return Block(
        dense_operator=dense,
        dense_dim=_at_least(space.dense_dims, width),
        sparse_operator="efc",
        sparse_dim=_at_least(space.sparse_dims, tokens),
        dense_sources=sources,
        sparse_sources=(0,),
        left=sources[0],
        right=0,
        dense_to_sparse=False,
        fm=fm,
    )


def _at_least(dims: tuple[int, ...], size: int) -> int:
    """The least dim that is large enough, or the greatest there is."""
    return next((dim for dim in dims if dim >= size), dims[-1])
