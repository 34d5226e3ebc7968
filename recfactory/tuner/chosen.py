"""The paths of the second shot on disk, so that they are chosen once and every worker has them."""

import hashlib
import json
from collections.abc import Callable, Sequence
from pathlib import Path

import numpy as np

from recfactory.errors import UserError
from recfactory.files import whole_file, write_json
from recfactory.search.candidates import AnyRows
from recfactory.search.choice import Choice
from recfactory.search.trial import Trial

CHOSEN, REPORT = "chosen.npz", "chosen.json"


def choose_once(
    folder: Path, trials: Sequence[Trial], choose: Callable[[Sequence[Trial]], Choice]
) -> AnyRows:
    """The rows chosen from trials, from the folder if they are there.

    Args:
        folder: of the project; gets chosen.npz, the rows, and chosen.json, how they were found.
        trials: of the first shot.
        choose: makes the choice from them.

    Returns:
        `(n, length)`.
    """
    told = json.dumps([trial.to_dict() for trial in trials])
    digest = hashlib.sha256(told.encode()).hexdigest()
    if (folder / CHOSEN).is_file():
        with np.load(folder / CHOSEN) as arrays:
            if str(arrays["trials"]) == digest:
                return np.asarray(arrays["rows"])
    choice = choose(trials)
    write_json(folder / REPORT, choice.report)
    with whole_file(folder / CHOSEN) as partial:
        np.savez(partial, rows=choice.rows, trials=np.array(digest))
    return choice.rows


def read_chosen(folder: Path) -> list[list[int]]:
    """The rows that were chosen; none where too few trials worked to choose any.

    Raises:
        UserError: when nothing was chosen here.
    """
    if not (folder / CHOSEN).is_file():
        raise UserError(
            f"'{folder}' has no {CHOSEN}, the paths that the second shot is trained on; give every worker "
            "the project's folder on a disk that all of them see"
        )
    with np.load(folder / CHOSEN) as arrays:
        rows: list[list[int]] = arrays["rows"].tolist()
    return rows
