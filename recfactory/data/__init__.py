"""Data: made-up click logs whose truth is known."""

from recfactory.data.synthetic import SyntheticSource, best_possible, parse

__all__ = ["SyntheticSource", "best_possible", "parse"]
