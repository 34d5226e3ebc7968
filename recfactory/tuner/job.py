"""`recfactory search`: a whole search on a features folder, resumable."""

import os
from collections.abc import Callable, Mapping
from dataclasses import asdict, replace
from pathlib import Path as Folder
from typing import Any

import numpy as np

from hw.config import PIMConfig
from recfactory.claim import claim
from recfactory.codesign.designs import Designs
from recfactory.codesign.hardware import Hardware
from recfactory.errors import UserError
from recfactory.features.layout import Layout
from recfactory.files import read_json, write_json
from recfactory.search.feasible import sample_feasible
from recfactory.search.objectives import SHORT, Constraint, parse_constraint
from recfactory.settings import read_arguments, read_settings, require, write_settings
from recfactory.space.path import Path
from recfactory.space.space import Space, make_space
from recfactory.supernet.shot import another
from recfactory.training.source import Source, open_source
from recfactory.tuner.budget import as_asked, complete, planned_minutes, shots_of
from recfactory.tuner.costs import measure_costs
from recfactory.tuner.objectives import check_known
from recfactory.tuner.one_shot import EvolutionOracle, MetropolisOracle, ParetoOracle, RandomOracle
from recfactory.tuner.oracle import SamplerOracle
from recfactory.tuner.outcome import VALID, write_outcome
from recfactory.tuner.search_recipe import FROM_START, SearchRecipe
from recfactory.tuner.tuner import SupernetTuner
from recfactory.tuner.two_shot import FGPSOracle

Log = Callable[[str], None]
SEARCH, PLAN = "search.json", "plan.json"
ORACLES: dict[str, type[SamplerOracle]] = {
    "fgps": FGPSOracle,
    "evolution": EvolutionOracle,
    "metropolis": MetropolisOracle,
    "pareto": ParetoOracle,
    "random": RandomOracle,
}
OF_RECIPE = ("first", "mining", "farthest", "by_first", "start")
"""Arguments of oracles that a recipe has entries for."""
USABLE = (parse_constraint("utilisation<=1"), parse_constraint("adc_shortfall<=0"))
"""A chip has no more crossbars than it has; what clipping costs a model alone, a supernet does not tell."""


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
        return write_outcome(tuner.oracle, out, recipe, log)


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
        hardware = Hardware.from_dict(recipe.hardware)
        require(
            recipe.scoring.refit_rows > 0 or not isinstance(hardware.base, PIMConfig),
            "search: scoring: refit_rows",
            0,
            "above 0, since few bits are chosen by training rows",
        )
        options["designs"] = Designs(space, hardware, layout)
        named = {constraint.name for constraint in constraints}
        constraints += [each for each in USABLE if each.name not in named]
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
    place = out.resolve()  # "." has no name
    return SupernetTuner(
        make_oracle(space, layout, recipe),
        supernet=replace(recipe.shot, seed=recipe.seed),
        second=None if recipe.second is None else another(replace(recipe.second, seed=recipe.seed)),
        scoring=recipe.scoring,
        final=[replace(final, seed=recipe.seed) for final in recipe.final],
        directory=place.parent,
        project_name=place.name,
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
