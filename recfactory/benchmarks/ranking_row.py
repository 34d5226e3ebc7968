"""One row of the ranking benchmark: a path trained from scratch, or a supernet's scores of all paths."""

import tempfile
from collections.abc import Sequence
from contextlib import nullcontext
from pathlib import Path as File
from typing import Any

import numpy as np

from recfactory.quiet import import_tensorflow_quietly
from recfactory.space.path import Path
from recfactory.supernet.shot import ShotRecipe
from recfactory.training.recipe import Recipe
from recfactory.training.source import open_source

MASKED = "normalised over the masked width"
"""How NASRec's public code has it."""


def alone_row(features: File, path: Path, recipe: Recipe) -> dict[str, Any]:
    """Trains a path from scratch.

    Args:
        features: a features folder.
        path: the architecture.
        recipe: of the training.

    Returns:
        Validation `logloss` and `auc`, and `macs`.
    """
    import_tensorflow_quietly()
    from recfactory.training.train import ignore_line, train

    with tempfile.TemporaryDirectory() as scratch:
        result = train(features, path, File(scratch) / "model", recipe, ignore_line)
    return {name: result[name] for name in ("logloss", "auc", "macs")}


def shot_row(features: File, paths: Sequence[Path], recipe: ShotRecipe, masked: bool) -> dict[str, Any]:
    """Trains a supernet and scores paths in it.

    Args:
        features: a features folder.
        paths: to be scored, of one space.
        recipe: of the shot.
        masked: whether the supernet normalises as NASRec's public code does.

    Returns:
        Validation LogLoss of each path with the `shared` last layer and with one `refit` for it.
    """
    import_tensorflow_quietly()
    from recfactory.benchmarks.nasrec.masked import masked_normalisation
    from recfactory.supernet.score import Scorer, Scoring
    from recfactory.supernet.shot import train_shot

    source, space = open_source(features), paths[0].space
    with (
        masked_normalisation(space) if masked else nullcontext(),
        tempfile.TemporaryDirectory() as scratch,
    ):
        supernet = train_shot(space, source, recipe, scratch, None, np.inf)
        scorers = {
            "shared": Scorer(supernet, source, Scoring(refit_rows=0)),
            "refit": Scorer(supernet, source),
        }
        return {name: [scorer.score(path).logloss for path in paths] for name, scorer in scorers.items()}
