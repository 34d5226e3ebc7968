"""`recfactory doctor`."""

import argparse

from recfactory.cli.terminal import Result, say
from recfactory.doctor import examine, format_examination


def do_doctor(asked: argparse.Namespace) -> Result:
    """Examines the installation."""
    found = examine()
    say(format_examination(found))
    return {**found, "exit_code": 0 if found["healthy"] else 1}
