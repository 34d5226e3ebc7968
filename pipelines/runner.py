"""Runs Beam pipelines: which runner, with which options."""

import logging
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from typing import Any

import apache_beam as beam
from apache_beam.options.pipeline_options import PipelineOptions

from recfactory.errors import UsageError, UserError

IN_PROCESS = "apache_beam.runners.portability.fn_api_runner.FnApiRunner"
"""The default. Beam's own DirectRunner first tries to download another engine."""


def make_pipeline(runner: str | None = None, options: Sequence[str] = ()) -> beam.Pipeline:
    """A pipeline for the runner the user named.

    Args:
        runner: a Beam runner's name; None, `direct` or `DirectRunner` run in this process (or in
            several, with `--direct_num_workers=2 --direct_running_mode=multi_processing`).
        options: Beam's own flags.

    Raises:
        UsageError: for a runner that loses data or that Beam does not know.
    """
    if runner and runner.lower() in ("daskrunner", "dask"):
        raise UsageError(
            "--runner DaskRunner: Beam 2.77's loses outputs silently; use direct, Flink, Spark or Portable"
        )
    name = IN_PROCESS if runner is None or runner.lower() in ("direct", "directrunner") else runner
    try:
        parsed = PipelineOptions([f"--runner={name}", *options])
        parsed.get_all_options()  # Beam reads them late otherwise
        return beam.Pipeline(options=parsed)
    except (ValueError, ImportError, AttributeError) as error:
        raise UsageError(f"--runner {runner}: {str(error).splitlines()[0]}") from error
    except SystemExit as error:
        raise UsageError(f"Beam does not understand the options {' '.join(options)}") from error


def run_pipeline(pipeline: beam.Pipeline) -> Any:
    """Runs to the end and returns the result.

    Raises:
        UserError: the one a worker raised, without Beam's wrapping.
    """
    with _hold_errors() as held:
        try:
            result = pipeline.run()
            result.wait_until_finish()
        except Exception as error:
            if mended := _user_error(error):
                held.clear()
                raise mended from error
            raise
    return result


class _ErrorHolder(logging.Handler):
    """Keeps errors back and passes the rest on."""

    def __init__(self) -> None:
        super().__init__()
        self.held: list[logging.LogRecord] = []

    def emit(self, record: logging.LogRecord) -> None:
        if record.levelno >= logging.ERROR:
            self.held.append(record)
        else:
            logging.getLogger().handle(record)


@contextmanager
def _hold_errors() -> Iterator[list[logging.LogRecord]]:
    """Keeps the errors Beam logs until it is known whether they are the user's, who needs no stack trace."""
    beam_logger, holder = logging.getLogger("apache_beam"), _ErrorHolder()
    beam_logger.addHandler(holder)
    beam_logger.propagate = False
    try:
        yield holder.held
    finally:
        beam_logger.removeHandler(holder)
        beam_logger.propagate = True
        for record in holder.held:
            beam_logger.handle(record)


def _user_error(error: BaseException | None) -> UserError | None:
    """Finds the user's mistake in a chain of wrapped errors; Beam may keep only its text."""
    seen = 0
    text = str(error)
    while error is not None and seen < 20:
        if isinstance(error, UserError):
            # Beam appends the name of its step to the message of the very error it passes on.
            return UserError(str(error.args[0]).split(" [while running")[0])
        error = error.__cause__ or error.__context__
        seen += 1
    for line in text.splitlines():
        if "recfactory.errors.UserError: " in line:
            message = line.split("recfactory.errors.UserError: ", 1)[1]
            return UserError(message.split(" [while running")[0])
    return None
