"""The errors a user can mend, and how to word them."""

import difflib
from collections.abc import Iterable


class UserError(Exception):
    """A mistake of the user's: one sentence saying what is wrong, where, and what to do.

    The command line prints the sentence alone, without a stack trace, and exits with `exit_code`.
    """

    exit_code = 1


class UsageError(UserError):
    """A command used wrongly: an unknown name, a flag that contradicts another."""

    exit_code = 2


def did_you_mean(word: str, known: Iterable[str]) -> str:
    """A question to append to an error: `; did you mean 'x'`, or nothing where no known word is close."""
    close = difflib.get_close_matches(word, list(known), n=1)
    return f"; did you mean '{close[0]}'" if close else ""
