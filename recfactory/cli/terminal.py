"""What the verbs share: lines for the user, settings from the user."""

import sys
import warnings
from typing import Any

from recfactory.errors import UsageError

Result = dict[str, Any]


def say(text: str) -> None:
    """Prints a line for the user."""
    print(text, file=sys.stderr, flush=True)


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
    import yaml

    name, equals, value = text.partition("=")
    if not equals:
        raise UsageError(f"--set '{text}': write NAME=VALUE, such as --set epochs=3")
    try:
        return name, yaml.safe_load(value)
    except yaml.YAMLError:
        raise UsageError(
            f"--set '{text}': cannot read the value; write for example 'hidden=[16, 8]'"
        ) from None
