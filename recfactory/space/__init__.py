"""The search space and its points, as immutable values over NumPy: no TensorFlow here.

`space.py` says what can be searched, `path.py` is one point of it, `genes.py` the same point as a row of
integers, so that many paths are one array. What an operator needs and costs is in `operators.py`, its arithmetic
in `recfactory/layers`.
"""
