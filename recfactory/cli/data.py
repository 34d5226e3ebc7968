"""`recfactory features` and `recfactory predict`."""

import argparse
from typing import Any

from recfactory.cli.terminal import Result, quietly, say


def do_features(asked: argparse.Namespace) -> Result:
    """Makes features."""
    return features(
        asked.data, asked.out, asked.schema, asked.label, asked.max_rejected, asked.runner, asked.beam_options
    )


def features(data: str, out: str, *options: Any) -> Result:
    """Makes features and says what was made."""
    quietly()
    from pipelines.features import make_features

    made = make_features(data, out, *options)
    for reason in made["schema_reasons"]:
        say(f"  {reason}")
    for split, counts in made["splits"].items():
        if counts["rows"]:
            say(f"  {split}: {counts['rows']:,} rows, {counts['clicks'] / counts['rows']:.2%} clicks")
    if made["rejected"]:
        say(f"  {sum(made['rejected'].values()):,} rows rejected, see {out}/rejected")
    return made


def do_predict(asked: argparse.Namespace) -> Result:
    """Scores raw rows."""
    quietly()
    from pipelines.predict import predict

    scored = predict(
        asked.model, asked.data, asked.out, asked.schema, asked.max_rejected, asked.runner, asked.beam_options
    )
    say(f"  {scored['rows']:,} rows scored into {scored['out']}, mean ctr {scored['mean_ctr']:.4f}")
    return scored
