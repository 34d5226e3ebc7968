"""`recfactory evaluate`, `publish` and `serve`: from a model to its users."""

import argparse
from pathlib import Path
from typing import Any

from recfactory.cli.terminal import Result, quietly, say


def do_evaluate(asked: argparse.Namespace) -> Result:
    """Judges a model."""
    return evaluate(
        asked.model, asked.data, asked.out, asked.thresholds, asked.baseline, asked.runner, asked.beam_options
    )


def evaluate(model: str, data: str, out: str, thresholds: Any, baseline: str | None, *options: Any) -> Result:
    """Judges a model and prints the verdict; an unblessed model exits with 1."""
    quietly()
    from pipelines.evaluation.evaluate import evaluate
    from pipelines.evaluation.table import format_evaluation

    runner, beam_options = options or (None, ())
    judged = evaluate(model, data, out, thresholds, baseline, runner=runner, options=beam_options)
    say(format_evaluation(judged["metrics"], judged["blessing"]))
    return {**judged, "exit_code": 0 if judged["blessing"]["blessed"] else 1}


def do_publish(asked: argparse.Namespace) -> Result:
    """Publishes a blessed model."""
    quietly()
    from serving.publish import publish

    published = publish(Path(asked.model), Path(asked.evaluation), Path(asked.to), asked.name)
    say(f"  published as {published['path']}")
    return published


def do_serve(asked: argparse.Namespace) -> Result:
    """Serves models until it is stopped."""
    quietly()
    from serving.server.serve import serve

    serve(asked.models, asked.grpc_port, asked.rest_port, asked.host, asked.model_config)
    return {"stopped": True}
