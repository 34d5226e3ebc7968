"""One row of the co-design benchmark: a searched co-design beside the architecture that it starts from."""

from collections.abc import Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np

from hw.config import PIMConfig
from recfactory.benchmarks.few_bits import all_with, bits_for
from recfactory.benchmarks.gains import PARTS, cost, explain, handcrafted
from recfactory.benchmarks.on_chips import NOISES, USUAL_NOISE, chips_of, on_chips
from recfactory.benchmarks.paired import auc_losses
from recfactory.benchmarks.search_row import WINNER, judged, last_split, most_macs, scores_of, trained
from recfactory.benchmarks.winners import Winner, train_winner
from recfactory.codesign.design_file import read_design
from recfactory.codesign.designs import Design
from recfactory.codesign.placement import placed
from recfactory.files import read_json
from recfactory.models.ranker import Ranker
from recfactory.quantise.precision import Crossbar, Precision
from recfactory.quantise.tune import fine_tune_trained
from recfactory.search.feasible import InfeasibleError
from recfactory.space.path import Path as Architecture
from recfactory.training.recipe import FRESH, Recipe
from recfactory.training.score import probabilities, read_answers
from recfactory.training.source import Source
from recfactory.training.train import ignore_line


def codesign_row(
    features: Path,
    folder: Path,
    winner: Winner,
    asked: Mapping[str, Any],
    minutes: float,
    least: Mapping[str, float],
) -> dict[str, Any]:
    """Searches model and machine within a budget of energy and latency, trains the best once more, measures.

    Args:
        features: a features folder.
        folder: to work in, or to go on in.
        winner: the architecture to compare with.
        asked: of the search, as of `SearchRecipe`.
        minutes: its budget of processor time.
        least: how many times less than the architecture on `handcrafted` it may cost, by score.

    Returns:
        What `on_chips` says of the best design on its machine with `USUAL_NOISE`, and by `noise` with other;
        what `judged` says in `float` of its model before, in `searched` of the architecture, trained on as
        long as the design was with its bits, and in `as_found` of it before that; in `fixed_scores` of the
        design with one part as in the base; `auc_losses` beside `searched`, by the split that is last; what
        `explain` says; `macs` and `searched_macs`, `trials`, the `file` of the design, and the `front`.
        Where nothing can cost so little, only why it is `impossible`.
    """
    source, base = train_winner(features, folder, winner)
    from recfactory.tuner.job import search
    from recfactory.tuner.outcome import PARETO

    before = cost(winner.path, None, handcrafted(), source.layout)
    constraints = [f"macs<={most_macs(source)}"]
    constraints += [f"{name}<={before[name] / factor}" for name, factor in least.items()]
    asked = {**asked, "constraints": constraints}
    try:
        found = search(features, folder / "search", asked, minutes, ignore_line)
    except InfeasibleError as error:
        return {"impossible": str(error)}
    design = read_design(found["best"])
    assert design is not None
    recipe = Recipe.from_dict({**found["recipe"], "seed": winner.seed + FRESH})
    alone = trained(features, design.path, folder / "design", recipe)
    tuned = fine_tune_trained(folder / "design", design.precision, source, folder / "tuned", ignore_line)
    machine = design.machine
    assert isinstance(machine, PIMConfig)

    def on(noise: float) -> Precision:
        return replace(design.precision, crossbar=Crossbar.of(machine, noise))

    noise = {f"{each}": on_chips(tuned, on(each), source) for each in NOISES}
    longer = fine_tune_trained(folder / WINNER, Precision({}), source, folder / "longer", ignore_line)
    chips = chips_of(tuned, on(USUAL_NOISE), source)
    return {
        **noise[f"{USUAL_NOISE}"],
        "noise": noise,
        "float": scores_of(alone),
        "searched": judged(longer, source),
        "as_found": scores_of(base),
        "fixed_scores": _fixed(folder, winner.path, design, tuned, source),
        "auc_losses": _auc_losses(longer, list(chips), source),
        "macs": alone["macs"],
        "searched_macs": base["macs"],
        **explain(winner.path, design, source.layout),
        "trials": found["trials"],
        "file": read_json(found["best"]),
        "front": [one["scores"] for one in read_json(folder / "search" / PARETO)],
    }


def _fixed(
    folder: Path, base: Architecture, design: Design, tuned: Ranker, source: Source
) -> dict[str, dict[str, Any]]:
    """What `judged` says of a co-design with one part as in the base, by part."""
    assert isinstance(design.machine, PIMConfig)
    few, eight = bits_for(base, design.precision), all_with(8, design.path)
    of_base = fine_tune_trained(folder / WINNER, few, source, folder / "fixed_architecture", ignore_line)
    of_eight = fine_tune_trained(folder / "design", eight, source, folder / "fixed_bits", ignore_line)
    fixed = (
        (of_base, base, few, design.machine),
        (of_eight, design.path, eight, design.machine),
        (tuned, design.path, design.precision, handcrafted()),
    )
    return {
        part: on_chips(model, placed(path, precision, machine, source.layout, USUAL_NOISE), source)
        for part, (model, path, precision, machine) in zip(PARTS, fixed, strict=True)
    }


def _auc_losses(base: Ranker, chips: Sequence[Ranker], source: Source) -> dict[str, list[float]]:
    """What `auc_losses` says of a design beside the architecture, on the last split: means over its chips."""
    split = last_split(source.rows)
    answers, before = read_answers(source, split), probabilities(base, source, split)
    found = [auc_losses(answers, before, probabilities(chip, source, split)) for chip in chips]
    return {split: np.mean(found, axis=0).tolist()}
