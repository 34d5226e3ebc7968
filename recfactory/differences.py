"""What is not as it was, told to a person."""

from collections.abc import Iterator, Mapping
from typing import Any

LONG = 40
"""Characters from which a value, such as a digest, tells a reader nothing."""


def differences(theirs: Mapping[str, Any], ours: Mapping[str, Any]) -> Iterator[str]:
    """What is not as it was, in words.

    Args:
        theirs: settings before, by name; JSON values.
        ours: settings now.
    """
    for name in dict.fromkeys([*ours, *theirs]):
        was, now = theirs.get(name), ours.get(name)
        if was == now:
            continue
        if isinstance(was, Mapping) and isinstance(now, Mapping):
            yield from (f"{name}: {change}" for change in differences(was, now))
        elif max(len(_text(was)), len(_text(now))) < LONG:
            yield f"{name} {_text(was)}, not {_text(now)}"
        else:
            yield f"other {name}"


def _text(value: Any) -> str:
    if isinstance(value, list):
        return " ".join(map(_text, value)) or "none"
    return "left out" if value is None else str(value)
