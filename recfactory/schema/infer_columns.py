"""Guesses what a feature column is: numeric, categorical, multi-valued or useless, and says why."""

import numpy as np

from recfactory.schema.columns import Categorical, Dense, Transform
from recfactory.schema.profile import Profile

IDENTIFIERS = {"id", "ids", "uid", "hash", "code", "zip", "ip", "url", "key", "type", "category", "class"}
QUANTITIES = {
    "age", "amount", "bid", "clicks", "count", "cnt", "depth", "distance", "duration", "impression",
    "impressions", "length", "num", "number", "position", "pos", "price", "quantity", "rank", "score",
    "size", "views",
}  # fmt: skip
SEPARATORS = "|^;, "
FEW = 100
"""Whole numbers with at most so many values are taken as categories."""
MANY = 1000
"""From so many values on, those seen once are left out of the vocabulary."""
MOST_VALUES = 32


def guess(column: Profile) -> tuple[Dense | Categorical | None, str]:
    """What a column is.

    Args:
        column: the sample's view of it.

    Returns:
        The feature, or None for a column that is left out; and the reason, to be read after its name.
    """
    if not column.readable:
        return None, "left out, it holds lists or structures"
    if column.distinct == 0:
        return None, "left out, it has no value"
    if column.distinct == 1:
        return None, f"left out, it is constant, always '{_short(column.texts[0])}'"
    if column.numbers is None or not (column.whole or _plain_floats(column)):
        return _textual(column)
    return _numeric(column)


def _textual(column: Profile) -> tuple[Dense | Categorical | None, str]:
    if _row_number(column):
        return None, f"left out, a different value in every one of {column.rows:,} rows tells nothing"
    found = _separator(column)
    if found is not None:
        separator, tokens, most = found
        return (
            Categorical(
                column.name, separator=separator, max_values=max(most, 2), min_count=_min_count(tokens)
            ),
            f"multi-valued, its {column.distinct:,} values are made of {tokens:,} that recur, up to {most} "
            f"in a row, separated by '{separator}'",
        )
    kind = "numbers with leading zeros" if column.numbers is not None else "texts"
    return _categorical(column, f"{column.distinct:,} distinct {kind} in {column.rows:,} rows")


def _numeric(column: Profile) -> tuple[Dense | Categorical | None, str]:
    assert column.numbers is not None
    kind = "whole numbers" if column.whole else "numbers"
    seen = f"{column.distinct:,} distinct {kind} in {column.rows:,} rows"
    ending = next((word for word in reversed(column.words) if word in IDENTIFIERS), None)
    if ending is not None:
        if _row_number(column):
            return None, f"left out, a different value in every one of {column.rows:,} rows tells nothing"
        return _categorical(column, f"{seen} and its name says {ending}")
    if column.distinct == 2:
        return _categorical(column, f"two values, {_short(column.texts[0])} and {_short(column.texts[1])}")
    named = next((word for word in column.words if word in QUANTITIES), None)
    if named is not None:
        return _dense(column, f"{seen} and its name says {named}")
    if not column.whole:
        return _dense(column, f"{seen}, with fractions")
    if np.any(column.numbers < -1):
        return _dense(column, f"{seen}, some negative")
    if _counts(column):
        return _dense(column, f"{seen}, most of them small and the large ones rare, as counts are")
    if column.distinct <= FEW:
        return _categorical(column, f"only {seen}; name it under dense if their order matters")
    if _row_number(column):
        return None, f"left out, a different value in every one of {column.rows:,} rows tells nothing"
    return _categorical(column, f"{seen}, spread as names are, not as counts")


def _categorical(column: Profile, reason: str) -> tuple[Categorical, str]:
    return Categorical(column.name, min_count=_min_count(column.distinct)), f"categorical, {reason}"


def _dense(column: Profile, reason: str) -> tuple[Dense, str]:
    assert column.numbers is not None
    weights = column.counts / column.counts.sum()
    mean = float(weights @ column.numbers)
    spread = float(weights @ (column.numbers - mean) ** 2) ** 0.5
    skew = float(weights @ ((column.numbers - mean) / spread) ** 3)
    negative = float(weights @ (column.numbers < 0))
    if skew > 1.5 and negative < 0.01 and column.numbers.max() > 10:
        transform: Transform = "log"
        return Dense(column.name, transform), f"numeric, {reason}; with a long tail, hence log"
    return Dense(column.name, "standardize"), f"numeric, {reason}; standardized"


def _plain_floats(column: Profile) -> bool:
    """Whether numbers that are not all whole are quantities; numbers with leading zeros are names."""
    assert column.numbers is not None
    return not bool(np.all(column.numbers == np.floor(column.numbers)))


def _row_number(column: Profile) -> bool:
    return column.present >= 100 and column.distinct >= 0.98 * column.present


def _min_count(distinct: int) -> int:
    return 2 if distinct >= MANY else 1


def _counts(column: Profile) -> bool:
    """Whether whole numbers look like counts: from near 0, mostly small, the large ones with gaps."""
    assert column.numbers is not None
    largest, smallest = float(column.numbers.max()), float(column.numbers.min())
    weights = column.counts / column.counts.sum()
    small = float(weights @ (column.numbers <= smallest + 0.25 * (largest - smallest)))
    gaps = column.distinct < 0.95 * (largest - smallest + 1)
    return smallest <= max(1.0, 1e-3 * largest) and column.distinct >= 10 and small > 0.8 and gaps


def _separator(column: Profile) -> tuple[str, int, int] | None:
    """The separator of a multi-valued column, its number of different tokens and the most in one value.

    The values must be made of far fewer tokens than there are values, and most tokens must recur in
    different values: free text such as titles has as many words as titles, most of them in one title only.
    """
    for separator in SEPARATORS:
        split = [[token for token in text.split(separator) if token] for text in column.texts]
        lengths = {len(tokens) for tokens in split}
        if sum(len(tokens) > 1 for tokens in split) < 0.1 * len(split) or len(lengths) < 2:
            continue
        recurrence: dict[str, int] = {}
        for tokens in split:
            for token in set(tokens):
                recurrence[token] = recurrence.get(token, 0) + 1
        once = sum(count == 1 for count in recurrence.values())
        if 2 * len(recurrence) <= column.distinct and once <= 0.4 * len(recurrence):
            return separator, len(recurrence), min(max(lengths), MOST_VALUES)
    return None


def _short(text: str) -> str:
    return text if len(text) <= 30 else f"{text[:27]}..."
