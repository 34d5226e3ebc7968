"""`recfactory search`: a whole search on a features folder, resumable."""

import os
from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict, replace
from pathlib import Path as Folder
from typing import Any

import numpy as np

from recfactory.claim import claim
from recfactory.codesign.choice import choose_knee, choose_within
from recfactory.codesign.design_file import write_design
from recfactory.codesign.designs import Design, Designs
from recfactory.codesign.hardware import Hardware, machine_to_dict
from recfactory.errors import UserError
from recfactory.features.layout import Layout
from recfactory.files import read_json, write_json
from recfactory.search.feasible import sample_feasible
from recfactory.search.front import pareto_front
from recfactory.search.objectives import SHORT, Constraint, parse_constraint, total_excess
from recfactory.search.trial import ALONE
from recfactory.settings import read_arguments, read_settings, write_settings
from recfactory.space.path import Path
from recfactory.space.path_file import write_path
from recfactory.space.space import Space, make_space
from recfactory.supernet.shot import another
from recfactory.training import folder
from recfactory.training.source import Source, open_source
from recfactory.tuner import oracles
from recfactory.tuner.alone import best_alone
from recfactory.tuner.budget import as_asked, complete, planned_minutes, shots_of
from recfactory.tuner.chosen import REPORT
from recfactory.tuner.costs import measure_costs
from recfactory.tuner.evaluator import TRAINED
from recfactory.tuner.forms import Candidate
from recfactory.tuner.ledger import Entry
from recfactory.tuner.objectives import check_known
from recfactory.tuner.oracle import SamplerOracle
from recfactory.tuner.search_recipe import FROM_START, SearchRecipe
from recfactory.tuner.tuner import SupernetTuner

Log = Callable[[str], None]
SEARCH, PLAN, BEST, RESULT = "search.json", "plan.json", "best.json", "result.json"
PARETO, FRONT = "pareto.json", "front"
"""The points of the front with their scores; a folder of a path file for each."""
ORACLES: dict[str, type[SamplerOracle]] = {
    "fgps": oracles.FGPSOracle,
    "evolution": oracles.EvolutionOracle,
    "metropolis": oracles.MetropolisOracle,
    "pareto": oracles.ParetoOracle,
    "random": oracles.RandomOracle,
}
OF_RECIPE = ("first", "mining", "farthest", "by_first", "start")
"""Arguments of oracles that a recipe has entries for."""
FITS = parse_constraint("utilisation<=1")
"""A chip has no more crossbars than it has."""
VALID = "val_"
"""Begins keras-tuner's names of what is measured on validation rows."""


def search(
    features: Folder | str, out: Folder | str, asked: Mapping[str, Any], minutes: float | None, log: Log
) -> dict[str, Any]:
    """Searches an architecture, or goes on with a search that was interrupted.

    Args:
        features: a features folder.
        out: the search's folder; becomes search.json and plan.json, which say what it is, journal.jsonl,
            supernet/, alone/ with the models of the finalists, chosen.json and chosen.npz of a two-shot
            search, best.json, pareto.json and front/ where there are several objectives and, last,
            result.json.
        asked: entries of `SearchRecipe`; the others follow from the budget.
        minutes: of processor time that the search is planned for; None for as many as fit the `trials` asked.
        log: takes the lines that say how it goes.

    Returns:
        The content of result.json: scores of the best path, how it was found, where it and its model lie, and
        the recipe that was best for it.

    Raises:
        UserError: for settings that cannot be, or a folder of another search.
    """
    if "KERASTUNER_ORACLE_IP" in os.environ:
        raise UserError(
            "this search is one process; unset KERASTUNER_ORACLE_IP, or search in parallel from Python (see "
            "the documentation of recfactory.tuner)"
        )
    out, source = Folder(out), open_source(features)
    given = as_asked(asked)
    space = make_space(source.layout, given.space, **given.sizes)
    oracle = make_oracle(space, source.layout, given)
    _check_possible(oracle)
    ours = {"asked": write_settings(asked), "minutes": minutes, "features": source.digest}
    with claim(out, SEARCH, ours, "search"):
        recipe = _planned(oracle, source, out, asked, minutes, log)
        tuner = make_tuner(space, source.layout, out, recipe)
        tuner.search(source.split("train"), source.split("valid"))
        return _finish(tuner.oracle, out, recipe, log)


def _planned(
    oracle: SamplerOracle,
    source: Source,
    out: Folder,
    asked: Mapping[str, Any],
    minutes: float | None,
    log: Log,
) -> SearchRecipe:
    """The recipe of a search; the costs that a budget needs are measured once."""
    if (out / PLAN).is_file():
        return read_settings(SearchRecipe, read_json(out / PLAN)["recipe"], "search")
    given = as_asked(asked)
    log("measuring what training and scoring cost here")
    costs = measure_costs(oracle.candidates, source, given.shot, given.scoring, given.final)
    recipe = complete(asked, minutes, costs, source.steps(given.shot))
    write_json(out / PLAN, {"costs": asdict(costs), "recipe": write_settings(recipe)})
    epochs = " and ".join(str(shot.epochs) for shot in shots_of(recipe))
    finalists = f"{recipe.finalists} finalists"
    log(
        f"{recipe.oracle}: {epochs} epochs of a supernet, {recipe.trials} trials, {finalists}; about "
        f"{planned_minutes(recipe, costs):.0f} minutes of processor time"
    )
    return recipe


def make_oracle(space: Space, layout: Layout, recipe: SearchRecipe) -> SamplerOracle:
    """The oracle of a recipe.

    Args:
        space: to search.
        layout: of the features.
        recipe: all numbers.

    Raises:
        UsageError: for numbers, objectives or constraints that cannot be.
    """
    oracle, constraints = ORACLES[recipe.oracle], [_valid_constraint(text) for text in recipe.constraints]
    options = read_options(recipe)
    if recipe.hardware is not None:
        options["designs"] = Designs(space, Hardware.from_dict(recipe.hardware), layout)
        if all(constraint.name != FITS.name for constraint in constraints):
            constraints.append(FITS)
    if recipe.oracle == "fgps":
        options |= {"first": recipe.first, "mining": recipe.mining, "farthest": recipe.farthest}
    else:
        options["by_first"] = recipe.rule == "best"
    if recipe.oracle in FROM_START:
        options["start"] = [Path.from_dict(values) for values in recipe.start]
    return oracle(
        space,
        objective=[_valid_name(name) for name in recipe.objectives],
        max_trials=recipe.trials,
        constraints=constraints,
        seed=recipe.seed,
        finalists=recipe.finalists,
        again=recipe.again,
        **options,
    )


def read_options(recipe: SearchRecipe) -> dict[str, Any]:
    """The further numbers of a recipe's oracle.

    Raises:
        UsageError: for one that it does not have, or that cannot be.
    """
    return read_arguments(ORACLES[recipe.oracle].__init__, recipe.options, "search: options", OF_RECIPE)


def make_tuner(space: Space, layout: Layout, out: Folder, recipe: SearchRecipe) -> SupernetTuner:
    """The tuner of a recipe.

    Args:
        space: to search.
        layout: of the features.
        out: the search's folder.
        recipe: all numbers.
    """
    return SupernetTuner(
        make_oracle(space, layout, recipe),
        supernet=replace(recipe.shot, seed=recipe.seed),
        second=None if recipe.second is None else another(replace(recipe.second, seed=recipe.seed)),
        scoring=recipe.scoring,
        final=[replace(final, seed=recipe.seed) for final in recipe.final],
        directory=out.parent,
        project_name=out.name,
    )


def _check_possible(oracle: SamplerOracle) -> None:
    """Refuses numbers and constraints that cannot be, before anything is measured or written."""
    oracle.make_sampler()
    check_known(oracle.candidates, [*oracle.objectives, *oracle.constraints])
    sample_feasible(oracle.candidates, oracle.constraints, 1, np.random.default_rng(oracle.seed))


def _valid_name(name: str) -> str:
    return VALID + name if name in ("logloss", "auc") else SHORT.get(name, name)


def _valid_constraint(text: str) -> Constraint:
    constraint = parse_constraint(text)
    return replace(constraint, name=_valid_name(constraint.name))


def _finish(oracle: SamplerOracle, out: Folder, recipe: SearchRecipe, log: Log) -> dict[str, Any]:
    entries = oracle.best_entries()
    if not entries or entries[0].stage not in TRAINED:
        raise UserError(f"'{out}': no finalist could be trained; its journal.jsonl has the reasons")
    finalists = [entry for entry in entries if entry.stage == entries[0].stage]
    best = _chosen(finalists, oracle, recipe)
    for constraint in oracle.constraints:
        if total_excess([constraint], best.scores or {}):
            log(f"the winner breaks {constraint}: no finalist keeps all constraints, the nearest is taken")
    candidate = _candidate(oracle, best)
    trained = _write_candidate(out / BEST, candidate, best, out)
    if len(recipe.objectives) > 1:
        alone = [entry for entry in entries if entry.stage == ALONE]
        front = pareto_front([entry.trial for entry in alone], oracle.objectives, oracle.constraints)
        write_json(out / PARETO, [_described(out, oracle, entry) for entry in alone if entry.trial in front])
    result = {
        **_scores(best),
        "oracle": recipe.oracle,
        "seed": recipe.seed,
        "trials": len(oracle.trials),
        "seconds": round(sum(entry.seconds for entry in entries), 1),
        "best": str(out / BEST),
        "model": str(best_alone(out, str(best.number), isinstance(candidate, Design))),
        "recipe": trained,
    }
    report = read_json(out / REPORT) if (out / REPORT).is_file() else {}
    if "entropy" in report:
        result["entropy"] = report["entropy"]
    write_json(out / RESULT, result)
    return result


def _chosen(finalists: Sequence[Entry], oracle: SamplerOracle, recipe: SearchRecipe) -> Entry:
    """The finalist that is taken, by the recipe's rule; where none keeps the constraints, the nearest."""
    trials, rule = [entry.trial for entry in finalists], recipe.rule
    if not pareto_front(trials, oracle.objectives, oracle.constraints):
        return finalists[0]
    if rule == "knee" or (rule is None and len(oracle.objectives) > 1):
        chosen = choose_knee(trials, oracle.objectives, oracle.constraints)
    else:
        chosen = choose_within(trials, oracle.objectives[0], oracle.constraints)
    return finalists[trials.index(chosen)]


def _write_candidate(file: Folder, candidate: Candidate, entry: Entry, out: Folder) -> dict[str, Any]:
    """Writes a finalist of the search in `out` as a path file; returns the recipe that was best for it."""
    trained = read_json(best_alone(out, str(entry.number)) / folder.RECIPE)["recipe"]
    about = {"scores": _scores(entry), "recipe": trained}
    if isinstance(candidate, Design):
        write_design(file, candidate, **about)
    else:
        write_path(file, candidate, **about)
    return dict(trained)


def _described(out: Folder, oracle: SamplerOracle, entry: Entry) -> dict[str, Any]:
    """A point of the front: its scores, and a path file of its own."""
    file, candidate = out / FRONT / f"{entry.number}.json", _candidate(oracle, entry)
    _write_candidate(file, candidate, entry, out)
    described: dict[str, Any] = {"trial": entry.number, "file": str(file), "scores": _scores(entry)}
    if isinstance(candidate, Design):
        described["machine"] = machine_to_dict(candidate.machine)
    return described


def _candidate(oracle: SamplerOracle, entry: Entry) -> Candidate:
    (candidate,) = oracle.candidates.decode(np.asarray([entry.row]))
    return candidate


def _scores(entry: Entry) -> dict[str, Any]:
    return {name.removeprefix(VALID): value for name, value in (entry.scores or {}).items()}
