"""Runs Beam pipelines: which runner, with which options."""

from collections.abc import Sequence
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
    try:
        result = pipeline.run()
        result.wait_until_finish()
        return result
    except Exception as error:
        if mended := _user_error(error):
            raise mended from error
        raise


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
