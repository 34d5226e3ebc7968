"""The errors a user can mend."""


class UserError(Exception):
    """A mistake of the user's: one sentence saying what is wrong, where, and what to do.

    The command line prints the sentence alone, without a stack trace, and exits with `exit_code`.
    """

    exit_code = 1


class UsageError(UserError):
    """A command used wrongly: an unknown name, a flag that contradicts another."""

    exit_code = 2
