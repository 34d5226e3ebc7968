"""The search space and its points, as immutable values over NumPy: no TensorFlow here.

`space.py` says what can be searched, `path.py` is one point of it, `genes.py` the same point as a row of
integers, so that many paths are one array; `effective.py` keeps of a row what the output depends on. Paths
are drawn in `sampling.py`, varied in `variation.py`, counted in `size.py` and priced in `cost.py`. What an
operator needs is in `operators.py`, its arithmetic in `recfactory/layers`.
"""

from recfactory.space.handmade import HANDMADE
from recfactory.space.operators import Operator, Reads, register
from recfactory.space.path import Block, Path
from recfactory.space.space import PRESETS, Space, make_space

__all__ = [
    "HANDMADE",
    "PRESETS",
    "Block",
    "Operator",
    "Path",
    "Reads",
    "Space",
    "make_space",
    "register",
]
