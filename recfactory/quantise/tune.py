"""Quantisation-aware fine-tuning: a trained model learns to live with its few bits."""

from dataclasses import asdict, replace
from pathlib import Path
from typing import Any

import keras
import tensorflow as tf

from recfactory.claim import claim
from recfactory.features import packed
from recfactory.files import read_json, write_json
from recfactory.models import registry
from recfactory.models.ranker import Ranker
from recfactory.quantise.model import quantised
from recfactory.quantise.precision import Precision
from recfactory.training.checkpoint import CHECKPOINT
from recfactory.training.folder import MODEL, RECIPE, RESULT
from recfactory.training.loop import CHECKPOINT_SECONDS, Log, run_epochs
from recfactory.training.optimizers import compile_for
from recfactory.training.recipe import Recipe
from recfactory.training.score import measure, probabilities, read_answers
from recfactory.training.source import Source
from recfactory.training.train import print_line

EPOCHS, SLOWER = 5, 0.1
CALIBRATION_ROWS = 16_384
"""A quarter of them missed large numbers: 8 bits lost .0005 validation AUC on made-up clicks, not .0003."""
FEW_BITS = "few_bits"
"""In a model's folder: that of the same model after it was trained on with few bits."""


def calibration(source: Source, rows: int = CALIBRATION_ROWS) -> dict[str, tf.Tensor]:
    """Training rows that ranges of activations are chosen by: `{"numbers", "ids"}`."""
    batches = packed.dataset(source.features, "train", source.layout, rows, shuffle_seed=0)
    inputs: dict[str, tf.Tensor] = next(iter(batches))[0]
    return inputs


def fine_tune(
    ranker: Ranker,
    precision: Precision,
    source: Source,
    recipe: Recipe,
    out: Path | str,
    log: Log = print_line,
    checkpoint_seconds: float = CHECKPOINT_SECONDS,
) -> Ranker:
    """Trains a model on with its few bits on; interrupted, it goes on where it was.

    As Jacob et al. (2018, arXiv 1712.05877, section 3) do: from the float weights, gradients passing through
    the rounding. A few epochs at a tenth of the learning rate; where they do not help, the model stays as it
    was rounded. What crossbars lose is left out: it differs from chip to chip.

    Args:
        ranker: of a path, trained.
        precision: of its operators.
        source: of the rows it was trained on.
        recipe: it was trained with.
        out: folder; becomes recipe.json, model.keras, training.jsonl and, last, result.json with the
            validation `logloss` and `auc`, `logloss_rounded` and `auc_rounded` before the tuning, and
            `weights_sha256`.
        log: takes the lines that say how it goes.
        checkpoint_seconds: between checkpoints.

    Returns:
        The tuned model, without crossbars: `quantised(tuned, precision, ...)` puts it on them.

    Raises:
        UserError: for a model that is not a path's, or a folder that holds something else.
    """
    out = Path(out)
    precision = replace(precision, crossbar=None)
    recipe = replace(recipe, epochs=EPOCHS, learning_rate=recipe.learning_rate * SLOWER)
    with claim(out, RECIPE, _mark(ranker, precision, source, recipe), "fine-tuning"):
        if (out / RESULT).is_file():
            (out / CHECKPOINT).unlink(missing_ok=True)
            log(f"'{out}' is fine-tuned already")
            return registry.load(out / MODEL)
        keras.utils.set_random_seed(recipe.seed)
        tf.config.experimental.enable_op_determinism()
        few = quantised(ranker, precision, calibration(source))
        answers = read_answers(source, "valid")
        rounded, weights = measure(answers, probabilities(few, source, "valid")), few.get_weights()
        compile_for(few, recipe)
        best = run_epochs(few, source, recipe, out, log, checkpoint_seconds).best
        found = best["valid_logloss"], best["valid_auc"]
        if found[0] > rounded[0]:
            few.set_weights(weights)
            found = rounded
        tuned = registry.save(few, out / MODEL)
        names, digest = ("logloss", "auc"), registry.weights_sha256(few)
        result: dict[str, Any] = {**dict(zip(names, found, strict=True)), "weights_sha256": digest}
        result |= {f"{name}_rounded": value for name, value in zip(names, rounded, strict=True)}
        write_json(out / RESULT, result)
        (out / CHECKPOINT).unlink(missing_ok=True)
        return tuned


def fine_tune_trained(
    model: Path, precision: Precision, source: Source, out: Path, log: Log = print_line
) -> Ranker:
    """Trains the model of a folder on, as of `fine_tune`.

    Args:
        model: the folder of a finished training.
        precision: of its operators.
        source: of the rows it was trained on.
        out: folder.
        log: takes the lines that say how it goes.
    """
    recipe = Recipe.from_dict(read_json(model / RECIPE)["recipe"])
    return fine_tune(registry.load(model / MODEL), precision, source, recipe, out, log)


def _mark(ranker: Ranker, precision: Precision, source: Source, recipe: Recipe) -> dict[str, Any]:
    """What a fine-tuning is made of."""
    bits = {f"{number} {role}": asdict(bits) for (number, role), bits in precision.bits.items()}
    return {
        "model": registry.weights_sha256(ranker),
        "features": source.digest,
        "recipe": recipe.to_dict(),
        "bits": bits,
        "embedding": precision.embedding,
    }
