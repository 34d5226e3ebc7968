"""What a search found: the best candidate, the front, and a summary, as files in the search's folder."""

from collections.abc import Callable, Sequence
from pathlib import Path as Folder
from typing import Any

import numpy as np

from recfactory.codesign.design_file import write_design
from recfactory.codesign.designs import Design
from recfactory.codesign.hardware import machine_to_dict
from recfactory.errors import UserError
from recfactory.files import read_json, write_json
from recfactory.search.front import finalists as best_of
from recfactory.search.front import loss_table, pareto_front
from recfactory.search.knee import knee
from recfactory.search.objectives import total_excess
from recfactory.search.trial import ALONE
from recfactory.space.path_file import write_path
from recfactory.training.folder import RECIPE
from recfactory.tuner.alone import best_alone, model_folder
from recfactory.tuner.chosen import REPORT
from recfactory.tuner.evaluator import TRAINED
from recfactory.tuner.forms import Candidate
from recfactory.tuner.ledger import Entry
from recfactory.tuner.oracle import SamplerOracle
from recfactory.tuner.search_recipe import SearchRecipe

BEST, RESULT = "best.json", "result.json"
PARETO, FRONT = "pareto.json", "front"
"""The points of the front with their scores; a folder of a path file for each."""
VALID = "val_"
"""Begins keras-tuner's names of what is measured on validation rows."""


def write_outcome(
    oracle: SamplerOracle, out: Folder, recipe: SearchRecipe, log: Callable[[str], None]
) -> dict[str, Any]:
    """Writes what a search found that has ended.

    Args:
        oracle: of the search.
        out: its folder; becomes best.json, result.json and, of several objectives, pareto.json and front/.
        recipe: of the search.
        log: takes a line where no finalist keeps the constraints.

    Returns:
        The content of result.json.

    Raises:
        UserError: when no finalist could be trained.
    """
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
        "model": str(model_folder(out, str(best.number), candidate)),
        "recipe": trained,
    }
    report = read_json(out / REPORT) if (out / REPORT).is_file() else {}
    if "entropy" in report:
        result["entropy"] = report["entropy"]
    write_json(out / RESULT, result)
    return result


def _chosen(finalists: Sequence[Entry], oracle: SamplerOracle, recipe: SearchRecipe) -> Entry:
    """The finalist that is taken, by the recipe's rule; where none keeps the constraints, the nearest."""
    trials = [entry.trial for entry in finalists]
    front = pareto_front(trials, oracle.objectives, oracle.constraints)
    if not front:
        return finalists[0]
    if recipe.rule == "knee" or (recipe.rule is None and len(oracle.objectives) > 1):
        chosen = front[knee(loss_table(front, oracle.objectives))]
    else:
        (chosen,) = best_of(front, oracle.objectives[:1])
    return finalists[trials.index(chosen)]


def _write_candidate(file: Folder, candidate: Candidate, entry: Entry, out: Folder) -> dict[str, Any]:
    """Writes a finalist of the search in `out` as a path file; returns the recipe that was best for it."""
    trained = read_json(best_alone(out, str(entry.number)) / RECIPE)["recipe"]
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
