"""Settings: frozen dataclasses of JSON values that users write as YAML or as NAME=VALUE."""

import inspect
import math
import types
import typing
from collections.abc import Callable, Mapping, Sequence
from dataclasses import fields, is_dataclass
from typing import Any, Literal, TypeVar

from recfactory.errors import UsageError, did_you_mean

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
    names = [entry.name for entry in fields(kind)]  # type: ignore[arg-type]
    return kind(**_read(typing.get_type_hints(kind), names, values, place))


def read_arguments(
    function: Callable[..., Any], values: Any, place: str, but: Sequence[str] = ()
) -> dict[str, Any]:
    """Makes keyword-only arguments of a mapping.

    Args:
        function: that takes them; they are annotated as entries of settings are.
        values: the mapping.
        place: what to call it in errors.
        but: arguments that are given otherwise.

    Raises:
        UsageError: for an unknown argument or a value of another type.
    """
    parameters = inspect.signature(function).parameters.values()
    names = [each.name for each in parameters if each.kind is each.KEYWORD_ONLY and each.name not in but]
    return _read(typing.get_type_hints(function), names, values, place)


def _read(hints: Mapping[str, Any], names: Sequence[str], values: Any, place: str) -> dict[str, Any]:
    if not isinstance(values, Mapping):
        raise UsageError(f"{place}: write settings such as NAME: VALUE, not {values!r}")
    for name in values:
        if name not in names:
            near = did_you_mean(str(name), names)
            raise UsageError(
                f"{place}: there is no entry '{name}'; there are {', '.join(names) or 'none'}{near}"
            )
    return {name: _typed(hints[name], value, f"{place}: {name}") for name, value in values.items()}


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
        require(math.isfinite(value), place, value, "finite")
        return float(value)
    if kind is int and number and (isinstance(value, int) or value.is_integer()):
        return int(value)
    kind = dict if issubclass(kind, Mapping) else kind
    is_bool = isinstance(value, bool) and kind is not bool
    require(isinstance(value, kind) and not is_bool and kind is not int, place, repr(value), _WORDS[kind])
    if kind is dict:
        for name in value:
            require(isinstance(name, str), f"{place}: the name of an entry", repr(name), "text")
    return value
