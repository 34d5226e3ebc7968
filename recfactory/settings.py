"""Settings: frozen dataclasses of JSON values that users write as YAML or as NAME=VALUE."""

import types
import typing
from collections.abc import Mapping
from dataclasses import fields, is_dataclass
from typing import Any, Literal, TypeVar

from recfactory.errors import UsageError
from recfactory.schema.mapping import did_you_mean

T = TypeVar("T")
_WORDS = {bool: "true or false", int: "a whole number", float: "a number", str: "text", dict: "settings"}


def read_settings(kind: type[T], values: Any, place: str) -> T:
    """Makes settings of a mapping; what it does not name keeps its default.

    Args:
        kind: a dataclass; its entries may be settings themselves.
        values: the mapping.
        place: what to call it in errors, such as `search`.

    Raises:
        UsageError: for an unknown entry or a value of another type.
    """
    if not isinstance(values, Mapping):
        raise UsageError(f"{place}: write settings such as NAME: VALUE, not {values!r}")
    names = [entry.name for entry in fields(kind)]  # type: ignore[arg-type]
    for name in values:
        if name not in names:
            near = did_you_mean(str(name), names)
            raise UsageError(f"{place}: there is no entry '{name}'; there are {', '.join(names)}{near}")
    hints = typing.get_type_hints(kind)
    return kind(**{name: _typed(hints[name], value, f"{place}: {name}") for name, value in values.items()})


def write_settings(settings: Any) -> Any:
    """The settings as JSON values; the opposite of `read_settings`."""
    if is_dataclass(settings):
        return {entry.name: write_settings(getattr(settings, entry.name)) for entry in fields(settings)}
    if isinstance(settings, Mapping):
        return {name: write_settings(value) for name, value in settings.items()}
    return [write_settings(value) for value in settings] if isinstance(settings, tuple) else settings


def require(holds: bool, place: str, value: Any, allowed: str) -> None:
    """Refuses a setting's value.

    Raises:
        UsageError: unless `holds`.
    """
    if not holds:
        raise UsageError(f"{place} must be {allowed}, not {value}")


def _typed(hint: Any, value: Any, place: str) -> Any:
    origin, inner = typing.get_origin(hint), typing.get_args(hint)
    if is_dataclass(hint):
        return value if isinstance(value, hint) else read_settings(hint, value, place)  # type: ignore[arg-type]
    if origin in (typing.Union, types.UnionType):
        (other,) = (one for one in inner if one is not type(None))
        return None if value is None else _typed(other, value, place)
    if origin is Literal:
        require(value in inner, place, value, f"one of {', '.join(map(str, inner))}")
        return value
    if origin is tuple:
        require(isinstance(value, list | tuple), place, value, "a list")
        return tuple(_typed(inner[0], one, f"{place}'s entries") for one in value)
    return _plain(origin or hint, value, place)


def _plain(kind: type, value: Any, place: str) -> Any:
    number = isinstance(value, int | float) and not isinstance(value, bool)
    if kind is float and number:
        return float(value)
    if kind is int and number and value == int(value):
        return int(value)
    kind = dict if issubclass(kind, Mapping) else kind
    is_bool = isinstance(value, bool) and kind is not bool
    require(isinstance(value, kind) and not is_bool and kind is not int, place, repr(value), _WORDS[kind])
    return value
