"""The command line: the one module that knows all four packages."""

import argparse
import json
import sys
import warnings
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from recfactory.arguments import make_parser
from recfactory.errors import UsageError, UserError

Result = dict[str, Any]
INTERRUPTED = 130
OF_DATASETS = ("ranking", "search", "codesign", "pruning")
"""Benchmarks of one data set at a time."""


def main(arguments: Sequence[str] | None = None) -> int:
    """Runs one verb.

    Args:
        arguments: without the program's name; default: the process's.

    Returns:
        The exit code: 0 done, 1 refused or failed, 2 wrong use, 130 interrupted.
    """
    known, rest = make_command_line().parse_known_args(arguments)
    try:
        if rest and not hasattr(known, "runner"):
            raise UsageError(f"unknown argument '{rest[0]}'; see `recfactory {known.verb} --help`")
        known.beam_options = rest
        if rest:
            from pipelines.runner import beam_options

            beam_options(rest)
        result: Result = known.do(known)
    except UserError as error:
        return _refuse(known, str(error), error.exit_code)
    except KeyboardInterrupt:
        print(file=sys.stderr)  # ends the line of ^C
        return _refuse(known, "interrupted; the same command goes on from here", INTERRUPTED)
    except OSError as error:
        if error.strerror is None:
            raise
        place = f"'{error.filename}': " if error.filename is not None else ""
        return _refuse(known, f"{place}{error.strerror}", 1)
    code = int(result.pop("exit_code", 0))
    if known.json:
        print(json.dumps(result, sort_keys=True))
    return code


def _refuse(known: argparse.Namespace, sentence: str, code: int) -> int:
    print(f"recfactory {known.verb}: {sentence}", file=sys.stderr)
    if known.json:
        print(json.dumps({"error": sentence, "exit_code": code}))
    return code


def _say(text: str) -> None:
    print(text, file=sys.stderr, flush=True)


def _quietly() -> None:
    from recfactory.quiet import import_tensorflow_quietly

    if not sys.warnoptions:
        warnings.simplefilter("ignore")  # the libraries' advice to each other is not for our users
    import_tensorflow_quietly()


def _features(asked: argparse.Namespace) -> Result:
    return features(
        asked.data, asked.out, asked.schema, asked.label, asked.max_rejected, asked.runner, asked.beam_options
    )


def features(data: str, out: str, *options: Any) -> Result:
    """Makes features and says what was made."""
    _quietly()
    from pipelines.features import make_features

    made = make_features(data, out, *options)
    for reason in made["schema_reasons"]:
        _say(f"  {reason}")
    for split, counts in made["splits"].items():
        if counts["rows"]:
            _say(f"  {split}: {counts['rows']:,} rows, {counts['clicks'] / counts['rows']:.2%} clicks")
    if made["rejected"]:
        _say(f"  {sum(made['rejected'].values()):,} rows rejected, see {out}/rejected")
    return made


def _search(asked: argparse.Namespace) -> Result:
    settings: dict[str, Any] = {}
    for text in asked.set:
        name, value = _setting(text)
        *groups, name = name.split(".")
        place = settings
        for group in groups:
            place = place.setdefault(group, {})
            if not isinstance(place, dict):
                raise UsageError(f"--set '{text}': '{group}' was given a value itself; give one of the two")
        place[name] = value
    settings |= {"space": asked.space, "seed": asked.seed, "constraints": asked.constraint}
    settings["objectives"] = asked.objectives.split(",")
    if asked.hardware is not None:
        from recfactory.codesign.hardware import read_hardware

        settings["hardware"] = read_hardware(asked.hardware).to_dict()
    several = asked.hardware is not None or len(settings["objectives"]) > 1
    settings["oracle"] = asked.oracle or ("pareto" if several else "fgps")
    if asked.trials is not None:
        settings["trials"] = asked.trials
    if asked.resume and not (Path(asked.out) / "search.json").is_file():
        raise UserError(f"'{asked.out}' holds no search to go on with; leave out --resume to begin one")
    return search(asked.features, asked.out, settings, asked.minutes)


def search(features: str, out: str, settings: dict[str, Any], minutes: float) -> Result:
    """Searches an architecture and says what was found."""
    _quietly()
    from recfactory.tuner.job import search

    found = search(features, out, settings, minutes, _say)
    _say(
        f"  best of {found['trials']:,} trials: valid logloss {found['logloss']:.5f}, "
        f"auc {found['auc']:.5f}, {found['macs']:,.0f} macs, {found['params']:,.0f} params; {found['best']}"
    )
    if "energy_j" in found:
        energy, latency = found["energy_j"] * 1e9, found["latency_s"] * 1e6
        _say(f"  on its machine: {energy:,.1f} nJ and {latency:,.2f} us an example")
    return found


def _train(asked: argparse.Namespace) -> Result:
    from recfactory.models.registry import check_name
    from recfactory.space.path_file import ENDING, read_recipe
    from recfactory.training.recipe import Recipe

    check_name(asked.model)
    # What a search found is trained as it was found, unless told otherwise.
    settings = read_recipe(asked.model) if asked.model.endswith(ENDING) else {}
    settings |= dict(_setting(text) for text in asked.set)
    if asked.seed is not None:
        settings["seed"] = asked.seed
    return train(asked.features, asked.model, asked.out, Recipe.from_dict(settings), asked.seeds)


def _setting(text: str) -> tuple[str, Any]:
    import yaml

    name, equals, value = text.partition("=")
    if not equals:
        raise UsageError(f"--set '{text}': write NAME=VALUE, such as --set epochs=3")
    try:
        return name, yaml.safe_load(value)
    except yaml.YAMLError:
        raise UsageError(
            f"--set '{text}': cannot read the value; write for example 'hidden=[16, 8]'"
        ) from None


def train(features: str, model: str, out: str, recipe: Any, seeds: int = 1) -> Result:
    """Trains a model, with several seeds if asked, and exports the best."""
    from recfactory.models.registry import check_name

    check_name(model)
    _quietly()
    from recfactory.saved_model import FOLDER
    from recfactory.training.seeds import train_seeds
    from recfactory.training.train import train
    from serving.trained import export_once

    if seeds == 1:
        result, best = train(features, model, out, recipe, _say), Path(out)
    else:
        result = train_seeds(features, model, out, recipe, seeds, _say)
        scores = [trained["logloss"] for trained in result["results"]]
        best = Path(out) / f"seed-{scores.index(min(scores))}"
    best = _with_few_bits(best, features, model)
    saved = export_once(best, features, Path(out) / FOLDER)
    return {**result, "saved_model": str(saved)}


def _with_few_bits(trained: Path, features: str, model: str) -> Path:
    """The folder of a model trained on with the bits that a co-design chose; its own where none did."""
    from recfactory.codesign.design_file import read_design
    from recfactory.files import read_json
    from recfactory.quantise.tune import FEW_BITS, fine_tune_trained
    from recfactory.space.path_file import ENDING
    from recfactory.training.source import open_source

    design = read_design(model) if model.endswith(ENDING) else None
    if design is None or not design.precision.bits:
        return trained
    out = trained / FEW_BITS
    fine_tune_trained(trained, design.precision, open_source(features), out, _say)
    tuned = read_json(out / "result.json")
    _say(f"  with the bits of its co-design: valid logloss {tuned['logloss']:.5f}, auc {tuned['auc']:.5f}")
    return out


def _evaluate(asked: argparse.Namespace) -> Result:
    return evaluate(
        asked.model, asked.data, asked.out, asked.thresholds, asked.baseline, asked.runner, asked.beam_options
    )


def evaluate(model: str, data: str, out: str, thresholds: Any, baseline: str | None, *options: Any) -> Result:
    """Judges a model and prints the verdict; an unblessed model exits with 1."""
    _quietly()
    from pipelines.evaluation.evaluate import evaluate
    from pipelines.evaluation.table import format_evaluation

    runner, beam_options = options or (None, ())
    judged = evaluate(model, data, out, thresholds, baseline, runner=runner, options=beam_options)
    _say(format_evaluation(judged["metrics"], judged["blessing"]))
    return {**judged, "exit_code": 0 if judged["blessing"]["blessed"] else 1}


def _publish(asked: argparse.Namespace) -> Result:
    _quietly()
    from serving.publish import publish

    published = publish(Path(asked.model), Path(asked.evaluation), Path(asked.to), asked.name)
    _say(f"  published as {published['path']}")
    return published


def _serve(asked: argparse.Namespace) -> Result:
    _quietly()
    from serving.server.serve import serve

    serve(asked.models, asked.grpc_port, asked.rest_port, asked.host, asked.model_config)
    return {"stopped": True}


def _predict(asked: argparse.Namespace) -> Result:
    _quietly()
    from pipelines.predict import predict

    scored = predict(
        asked.model, asked.data, asked.out, asked.schema, asked.max_rejected, asked.runner, asked.beam_options
    )
    _say(f"  {scored['rows']:,} rows scored into {scored['out']}, mean ctr {scored['mean_ctr']:.4f}")
    return scored


def _prune(asked: argparse.Namespace) -> Result:
    from recfactory.pruning.recipe import PruneRecipe

    recipe = PruneRecipe(asked.ratio, asked.method, asked.rounds, asked.epochs, asked.unstructured)
    return prune(asked.model, asked.features, asked.out, recipe)


def prune(model: str, features: str, out: str, recipe: Any) -> Result:
    """Prunes a trained path, exports what is left and says what was saved."""
    _quietly()
    from recfactory.pruning.prune import prune
    from recfactory.saved_model import FOLDER
    from serving.trained import export_once

    result = prune(model, features, out, recipe, _say)
    before = result["before"]
    _say(
        f"  {result['macs']:,} macs of {before['macs']:,} "
        f"({result['nonzero_macs']:,} of weights that are not 0); "
        f"valid logloss {result['logloss']:.5f}, before {before['logloss']:.5f}"
    )
    saved = export_once(Path(out), features, Path(out) / FOLDER)
    return {**result, "saved_model": str(saved)}


def _estimate(asked: argparse.Namespace) -> Result:
    from recfactory.training.recipe import Recipe

    recipe = Recipe.from_dict(dict(_setting(text) for text in asked.set))
    return estimate(asked.model, asked.features, asked.hardware, recipe, asked.plot)


def estimate(
    model: str, features: str, machines: Sequence[str] = (), recipe: Any = None, plot: str | None = None
) -> Result:
    """Estimates what a model costs on machines, and prints a table of it."""
    from recfactory.estimate import estimate_model
    from recfactory.estimate_plot import check_plot, plot_estimated
    from recfactory.estimate_table import format_estimated

    if plot is not None:
        check_plot(plot)
    estimated = estimate_model(model, features, machines, recipe)
    _say(format_estimated(estimated))
    if plot is not None:
        plot_estimated(estimated, plot)
        _say(f"drawn in {plot}")
    return estimated.to_dict()


def _run(asked: argparse.Namespace) -> Result:
    from recfactory.models.registry import check_name
    from recfactory.run import Stage, read_config, run_stages
    from recfactory.space.path_file import read_recipe
    from recfactory.training.recipe import Recipe

    config = read_config(asked.config, data=asked.data, out=asked.out, model=asked.model)
    check_name(config.model)
    recipe = Recipe.from_dict(config.recipe)
    _check_later_stages(config)
    out = Path(config.out)
    folders = ("features", "search", "random", "compared", "model", "evaluation", "published")
    places = {name: str(out / name) for name in folders}
    winner = f"{places['search']}/best.json" if config.search is not None else config.model

    def train_winner() -> Result:
        best = Recipe.from_dict(read_recipe(winner)) if config.search is not None else recipe
        return train(places["features"], winner, places["model"], best, config.seeds)

    def judge() -> Result:
        if finished := _judged(places["model"], places["evaluation"], config.baseline):
            return finished
        examples = out / "features" / "examples"
        split = "test" if (examples / "test").is_dir() else "valid"
        if split == "valid":
            _say("  there are no test rows: judged on the validation rows, which also chose the epoch")
        judged = evaluate(
            places["model"], str(examples / split), places["evaluation"], config.thresholds, config.baseline
        )
        return {name: judged[name] for name in ("metrics", "blessing")}

    def publish() -> Result:
        from serving.publish import publish

        return publish(
            Path(places["model"]), Path(places["evaluation"]), Path(places["published"]), config.name
        )

    def check_served() -> Result:
        from serving.check import check_served

        return check_served(Path(places["published"]), config.name, out / "features")

    stages = [
        Stage(
            "features",
            lambda: features(
                config.data, places["features"], config.schema, config.label, config.max_rejected
            ),
        ),
        *_search_stages(config, recipe, places),
        Stage("train", train_winner),
        Stage("evaluate", judge),
        Stage("publish", publish),
        Stage("serve", check_served),
    ]
    if config.thresholds is None:
        _say("without thresholds the model will not be blessed, and so not published")
    results = run_stages(config, stages, _say)
    served = results["serve"]
    if config.search is not None:
        _say_compared(results, config.model)
    _say(f"\n{out}: {winner} blessed, version {results['publish']['version']} of '{config.name}'")
    _say(f"  gRPC and REST both answered ctr = {served['grpc']:.6f} for the same example")
    _say(f"  metrics:  {places['evaluation']}/metrics.json")
    _say(f"  serve it: recfactory serve --models {places['published']}")
    return results


def _search_stages(config: Any, recipe: Any, places: dict[str, str]) -> list[Any]:
    """The search and what stands beside it: random search with the same budget, and a hand-made model."""
    from recfactory.run import Stage

    if config.search is None:
        return []
    settings = dict(config.search)
    if config.recipe:
        settings.setdefault("final", [config.recipe])
    minutes = settings.pop("minutes", 30.0)
    return [
        Stage("search", lambda: search(places["features"], places["search"], settings, minutes)),
        Stage(
            "random search",
            lambda: search(places["features"], places["random"], {**settings, "oracle": "random"}, minutes),
        ),
        Stage(
            config.model,
            lambda: train(places["features"], config.model, places["compared"], recipe, config.seeds),
        ),
    ]


def _say_compared(results: dict[str, Result], model: str) -> None:
    """Says what the search found, against what."""
    _say("  on validation rows:")
    for name, found in (
        ("the search's winner, trained again", results["train"]),
        ("best of random search, same budget", results["random search"]),
        (model, results[model]),
    ):
        best = min(found.get("results", [found]), key=lambda one: one["logloss"])
        _say(f"  {name:36} logloss {best['logloss']:.5f}, auc {best['auc']:.5f}, {best['macs']:,.0f} macs")


def _check_later_stages(config: Any) -> None:
    """Finds the mistakes that would stop a run after its training."""
    from pipelines.evaluation.thresholds import load_thresholds
    from recfactory.saved_model import saved_model_dir
    from serving.publish import check_served_name

    load_thresholds(config.thresholds)
    check_served_name(config.name)
    if config.baseline is not None:
        saved_model_dir(config.baseline)


def _judged(model: str, evaluation: str, baseline: str | None) -> Result | None:
    """The verdict on these very models, where one was reached before (thresholds belong to the run)."""
    from recfactory.files import read_json
    from recfactory.saved_model import digest, saved_model_dir

    path = Path(evaluation) / "blessing.json"
    if not path.is_file():
        return None
    blessing = read_json(path)
    digests = [digest(saved_model_dir(folder)) if folder else None for folder in (model, baseline)]
    if [blessing["model_digest"], blessing["baseline_digest"]] != digests:
        return None
    return {"metrics": read_json(Path(evaluation) / "metrics.json"), "blessing": blessing}


def _bench(asked: argparse.Namespace) -> Result:
    from recfactory.benchmarks.results import keep_result

    if asked.name == "features":
        from pipelines.bench import bench_features

        measured = bench_features(**({"rows": asked.rows} if asked.rows else {}))
    elif asked.name == "supernet":
        _quietly()
        from recfactory.benchmarks.supernet import bench_supernet

        measured = bench_supernet()
    elif asked.name == "scoring":
        _quietly()
        from recfactory.benchmarks.scoring import bench_scoring

        measured = bench_scoring(_say)
    elif asked.name in OF_DATASETS:
        measured = _bench_dataset(asked)
    else:
        _quietly()
        from serving.bench import bench_serving

        measured = bench_serving()
    kept = keep_result(asked.name, measured, Path(asked.results), add=asked.name in OF_DATASETS)
    for name, value in measured.items():
        _say(f"  {name}: {value}")
    _say(f"  kept in {kept}")
    return measured


def _bench_dataset(asked: argparse.Namespace) -> Result:
    if not asked.features or not asked.dataset:
        raise UsageError(f"bench {asked.name} needs --features DIR and --dataset NAME")
    _quietly()
    rows = Path(asked.results) / f"{asked.name}-{asked.dataset}.jsonl"
    if asked.name == "ranking":
        from recfactory.benchmarks.ranking import bench_ranking

        return {asked.dataset: bench_ranking(asked.dataset, asked.features, rows, _say)}
    work = Path(asked.work) / asked.name / asked.dataset
    if asked.name == "search":
        from recfactory.benchmarks.search import bench_search

        return {asked.dataset: bench_search(asked.dataset, asked.features, rows, work, _say)}
    winners = Path(asked.results) / f"search-{asked.dataset}.jsonl"
    if asked.name == "pruning":
        from recfactory.benchmarks.pruning import bench_pruning as measure
    else:
        from recfactory.benchmarks.codesign import bench_codesign as measure

    return {asked.dataset: measure(asked.dataset, asked.features, rows, winners, work, _say)}


def _doctor(asked: argparse.Namespace) -> Result:
    _quietly()
    from recfactory.doctor import examine, format_examination

    found = examine()
    _say(format_examination(found))
    return {**found, "exit_code": 0 if found["healthy"] else 1}


def make_command_line() -> argparse.ArgumentParser:
    """The parser of all verbs."""
    return make_parser(
        {
            "features": _features,
            "search": _search,
            "train": _train,
            "evaluate": _evaluate,
            "publish": _publish,
            "serve": _serve,
            "predict": _predict,
            "prune": _prune,
            "estimate": _estimate,
            "run": _run,
            "bench": _bench,
            "doctor": _doctor,
        }
    )
