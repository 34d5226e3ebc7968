"""A mapping from a file, read key by key: wrong types and unknown keys are told by name."""

from collections.abc import Iterable, Mapping
from typing import Any, TypeVar

from recfactory.errors import UserError, did_you_mean

T = TypeVar("T")
_KINDS: dict[type, str] = {
    str: "text",
    int: "a whole number",
    float: "a number",
    bool: "true or false",
    list: "a list",
    dict: "a mapping (key: value)",
}


def text(value: Any, place: str) -> str:
    """A name: text, or a whole number as it was written.

    Raises:
        UserError: for anything else, naming `place`.
    """
    if isinstance(value, int) and not isinstance(value, bool):
        return str(value)
    if not isinstance(value, str):
        raise UserError(f"{place}: expected a name, not {value!r}; put it in quotes if it is one")
    return value


class Keys:
    """Takes the values of a mapping one by one and complains about those nobody took.

    Args:
        values: the mapping.
        place: where it stands in its file, such as `dense.age`; empty for the whole file.
        known: every key it may have.

    Raises:
        UserError: when `values` is no mapping or has a key that is not known.
    """

    def __init__(self, values: Any, place: str, known: Iterable[str]) -> None:
        if not isinstance(values, Mapping):
            raise UserError(f"{place or 'the file'}: expected {_KINDS[dict]}, not {_shown(values)}")
        self.values, self.place, known = values, place, list(known)
        for key in values:
            if key not in known:
                near = did_you_mean(str(key), known) or f"; known here: {', '.join(known)}"
                raise UserError(f"unknown key '{self.at(str(key))}'{near}")

    def at(self, key: str) -> str:
        """The place of a key."""
        return f"{self.place}.{key}" if self.place else key

    def get(self, key: str, kind: type[T], default: T) -> T:
        """The value of `key`, of the type `kind`; `default` where it is absent or null."""
        value = self.values.get(key)
        if value is None:
            return default
        if kind is float and isinstance(value, int) and not isinstance(value, bool):
            return float(value)  # type: ignore[return-value]
        if not isinstance(value, kind) or (isinstance(value, bool) and kind is not bool):
            raise UserError(f"{self.at(key)}: expected {_KINDS[kind]}, not {_shown(value)}")
        return value

    def name(self, key: str) -> str | None:
        """The name that stands at `key`; None where it is absent or null."""
        value = self.values.get(key)
        return None if value is None else text(value, self.at(key))

    def need(self, key: str) -> str:
        """The name that stands at `key`.

        Raises:
            UserError: when it is absent.
        """
        found = self.name(key)
        if found is None:
            raise UserError(f"{self.at(key)}: is missing")
        return found

    def names(self, key: str) -> tuple[str, ...]:
        """The list of names that stands at `key`; empty where it is absent or null."""
        return tuple(text(value, self.at(key)) for value in self.get(key, list, []))


def _shown(value: Any) -> str:
    shown = repr(value)
    return shown if len(shown) <= 60 else f"{shown[:57]}..."
