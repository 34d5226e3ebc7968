"""`recfactory train` and `recfactory prune`: models in, models out."""

import argparse
from pathlib import Path
from typing import Any

from recfactory.cli.terminal import Result, quietly, say, setting


def do_train(asked: argparse.Namespace) -> Result:
    """Trains a model."""
    from recfactory.models.registry import check_name
    from recfactory.space.path_file import ENDING, read_recipe
    from recfactory.training.recipe import Recipe

    check_name(asked.model)
    # What a search found is trained as it was found, unless told otherwise.
    settings = read_recipe(asked.model) if asked.model.endswith(ENDING) else {}
    settings |= dict(setting(text) for text in asked.set)
    if asked.seed is not None:
        settings["seed"] = asked.seed
    return train(asked.features, asked.model, asked.out, Recipe.from_dict(settings), asked.seeds)


def train(features: str, model: str, out: str, recipe: Any, seeds: int = 1) -> Result:
    """Trains a model, with several seeds if asked, and exports the best."""
    from recfactory.models.registry import check_name

    check_name(model)
    precision = _precision_of(model)
    quietly()
    from recfactory.files import write_json
    from recfactory.saved_model import FOLDER
    from recfactory.training.seeds import SCORES, SUMMARY, spread, train_seeds
    from recfactory.training.train import train
    from serving.trained import export_once

    if seeds == 1:
        result = train(features, model, out, recipe, say)
        result, best = _with_few_bits(result, Path(out), features, precision)
    else:
        result = train_seeds(features, model, out, recipe, seeds, say)
        folders = [Path(out) / f"seed-{number}" for number in range(seeds)]
        made = [
            _with_few_bits(each, folder, features, precision)
            for each, folder in zip(result["results"], folders, strict=True)
        ]
        results = [each for each, _ in made]
        result = {**result, "results": results, **spread(results, SCORES)}
        write_json(Path(out) / SUMMARY, result)
        _, best = min(made, key=lambda each: each[0]["logloss"])
    saved = export_once(best, features, Path(out) / FOLDER)
    return {**result, "saved_model": str(saved)}


def _precision_of(model: str) -> Any:
    """The bits that a co-design chose; None where none did."""
    from recfactory.codesign.design_file import read_design
    from recfactory.space.path_file import ENDING

    design = read_design(model) if model.endswith(ENDING) else None
    return design.precision if design and design.precision.bits else None


def _with_few_bits(result: Result, trained: Path, features: str, precision: Any) -> tuple[Result, Path]:
    """What a model reached with the bits that a co-design chose, and its folder; as it is where none did."""
    from recfactory.files import read_json
    from recfactory.quantise.tune import FEW_BITS, fine_tune_trained
    from recfactory.training.source import open_source

    if precision is None:
        return result, trained
    out = trained / FEW_BITS
    fine_tune_trained(trained, precision, open_source(features), out, say)
    tuned = read_json(out / "result.json")
    say(f"  with the bits of its co-design: valid logloss {tuned['logloss']:.5f}, auc {tuned['auc']:.5f}")
    names = [name for name in tuned if name in result]
    in_float, few = ({name: scores[name] for name in names} for scores in (result, tuned))
    return {**result, **few, "float": in_float}, out


def do_prune(asked: argparse.Namespace) -> Result:
    """Prunes a trained path."""
    from recfactory.pruning.recipe import PruneRecipe

    recipe = PruneRecipe(asked.ratio, asked.method, asked.rounds, asked.epochs, asked.unstructured)
    return prune(asked.model, asked.features, asked.out, recipe)


def prune(model: str, features: str, out: str, recipe: Any) -> Result:
    """Prunes a trained path, exports what is left and says what was saved."""
    quietly()
    from recfactory.pruning.prune import prune
    from recfactory.saved_model import FOLDER
    from serving.trained import export_once

    result = prune(model, features, out, recipe, say)
    before = result["before"]
    say(
        f"  {result['macs']:,} macs of {before['macs']:,} "
        f"({result['nonzero_macs']:,} of weights that are not 0); "
        f"valid logloss {result['logloss']:.5f}, before {before['logloss']:.5f}"
    )
    saved = export_once(Path(out), features, Path(out) / FOLDER)
    return {**result, "saved_model": str(saved)}
