"""The command line: the one place that knows all four packages."""

from recfactory.cli.verbs import main

__all__ = ["main"]
