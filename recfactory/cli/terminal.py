"""What the verbs share: lines for the user, settings from the user."""

import sys
import warnings
from collections.abc import Iterator, Mapping
from typing import Any

from recfactory.errors import UsageError, UserError

Result = dict[str, Any]


def say(text: str) -> None:
    """Prints a line for the user."""
    print(text, file=sys.stderr, flush=True)


def lines_of(name: str, value: Any, indent: str = "  ") -> Iterator[str]:
    """A result as lines for the user: numbers short, what is nested further in, a record of a list to a line.

    Args:
        name: of the result.
        value: JSON values.
        indent: before each line.
    """
    if isinstance(value, Mapping):
        yield f"{indent}{name}:"
        for each, nested in value.items():
            yield from lines_of(each, nested, indent + "  ")
    elif isinstance(value, list) and value and isinstance(value[0], Mapping):
        yield f"{indent}{name}:"
        for record in value:
            yield f"{indent}  " + ", ".join(f"{each} {_short(nested)}" for each, nested in record.items())
    else:
        yield f"{indent}{name}: {_short(value)}"


def _short(value: Any) -> str:
    if isinstance(value, float):
        return f"{value:,.0f}" if abs(value) >= 1000 else f"{value:.5g}"
    return f"[{', '.join(map(_short, value))}]" if isinstance(value, list) else str(value)


def quietly() -> None:
    """Imports TensorFlow without its chatter."""
    from recfactory.quiet import import_tensorflow_quietly

    if not sys.warnoptions:
        warnings.simplefilter("ignore")  # the libraries' advice to each other is not for our users
    import_tensorflow_quietly()


def setting(text: str) -> tuple[str, Any]:
    """The name and the value of `NAME=VALUE`.

    Raises:
        UsageError: for another text, or a value that is no YAML.
    """
    from recfactory.yaml_text import parse_yaml

    name, equals, value = text.partition("=")
    if not equals:
        raise UsageError(f"--set '{text}': write NAME=VALUE, such as --set epochs=3")
    try:
        return name, parse_yaml(value, f"--set '{text}'")
    except UserError:
        raise UsageError(
            f"--set '{text}': cannot read the value; write for example 'hidden=[16, 8]'"
        ) from None
