"""`recfactory prune`: a trained path with less of it, in rounds of training and removal."""

from dataclasses import dataclass, replace
from pathlib import Path as File
from typing import Any

import keras
import tensorflow as tf

from recfactory.claim import claim
from recfactory.errors import UserError
from recfactory.files import read_json, write_json
from recfactory.models import registry
from recfactory.models.macs import count_macs
from recfactory.models.ranker import Ranker
from recfactory.pruning.anatomy import operations, remaining
from recfactory.pruning.cut import whole
from recfactory.pruning.masks import MaskedTower
from recfactory.pruning.recipe import PruneRecipe
from recfactory.pruning.ticket import TICKET, Ticket, read_scores, read_ticket
from recfactory.pruning.winner import BEFORE, read_winner
from recfactory.pruning.workload import write_cut
from recfactory.space.operations import Linear
from recfactory.space.path import Path
from recfactory.space.path_file import path_name
from recfactory.training.checkpoint import CHECKPOINT
from recfactory.training.folder import MODEL, RESULT
from recfactory.training.loop import CHECKPOINT_SECONDS, Log, run_epochs
from recfactory.training.optimizers import compile_for
from recfactory.training.recipe import Recipe
from recfactory.training.source import Source, open_source
from recfactory.training.state import State
from recfactory.training.train import print_line

PRUNE = "prune.json"
"""What a folder's pruning is made from."""
FINAL = "final"


def prune(
    model: File | str,
    features: File | str,
    out: File | str,
    recipe: PruneRecipe | None = None,
    log: Log = print_line,
    checkpoint_seconds: float = CHECKPOINT_SECONDS,
) -> dict[str, Any]:
    """Prunes a trained path (arXiv 2411.07569), or goes on with a pruning that was interrupted.

    A round trains what is left and removes what is worth least of it; what is left then starts again from
    the values that it had before any training (Frankle and Carbin 2019), since a second training of the same
    embeddings would learn the rows by heart. After the last round it is trained as the path was. Test rows
    are not read.

    Args:
        model: the folder of a finished training of a path.
        features: the features folder it was trained on.
        out: becomes model.keras, prune.json, cut.json, a folder per round, and, last, result.json.
        recipe: what to remove and how.
        log: takes the lines that say how it goes.
        checkpoint_seconds: between checkpoints inside an epoch.

    Returns:
        The content of result.json: that of a training, with `macs` and `nonzero_macs` (see
        `anatomy.nonzero_macs`), the `target_macs`, the same of the model `before`, and a row per round.

    Raises:
        UserError: when the folder holds no trained path, or was trained on other features, `out` holds
            another pruning, or single weights cannot make up for the ratio.
    """
    recipe, out = recipe or PruneRecipe(), File(out)
    path, about = read_winner(File(model))
    source = open_source(features)
    if about["features"] != source.digest:
        raise UserError(f"'{model}' was trained on other features than '{features}'; name those")
    if recipe.unstructured:
        _check_reachable(path, recipe.ratio)
    trained = about["result"]
    ours = {"weights": trained["weights_sha256"], "features": source.digest, "recipe": recipe.to_dict()}
    with claim(out, PRUNE, ours, "pruning"):
        job = _Job(path, Recipe.from_dict(about["recipe"]), recipe, source, out, log, checkpoint_seconds)
        if (out / RESULT).is_file():
            log(f"'{out}' is pruned already")
            job.tidy()
            return dict(read_json(out / RESULT))
        if about["few_bits"]:
            log("the bits of its co-design are left behind: what is left will compute in float32")
        rounds = [job.round(number) for number in range(1, recipe.rounds + 1)]
        before = {name: trained[name] for name in BEFORE}
        result = {**job.final(), "target_macs": job.target(recipe.rounds), "before": before, "rounds": rounds}
        write_json(out / RESULT, result)
        job.tidy()
        if result["nonzero_macs"] > result["target_macs"]:
            log(
                f"asked for {result['target_macs']:,} macs at most, {result['nonzero_macs']:,} are left: a "
                f"round takes half of a layer at most; take more rounds than {recipe.rounds}"
            )
        return result


def _check_reachable(path: Path, ratio: float) -> None:
    """Refuses a ratio that would leave no weight: products of activations with each other have none."""
    cut = whole(path)
    made = (one for part in remaining(path, cut) for one in operations(path, cut, part))
    share = sum(int(one.macs) for one in made if isinstance(one, Linear)) / path.macs
    if ratio >= share:
        raise UserError(
            f"single weights are {share:.1%} of this path's macs, so that a ratio of {ratio} would leave "
            f"none: choose one well below {share:.2f}"
        )


@dataclass
class _Job:
    """One pruning.

    Args:
        path: the architecture.
        trained: how the path was trained, and what is left of it is.
        recipe: what to remove and how.
        source: of the rows.
        out: folder.
        log: takes lines.
        checkpoint_seconds: between checkpoints.
    """

    path: Path
    trained: Recipe
    recipe: PruneRecipe
    source: Source
    out: File
    log: Log
    checkpoint_seconds: float

    def target(self, number: int) -> int:
        """Multiply-accumulates that shall be left at most after some rounds."""
        return int(self.path.macs * (1 - self.recipe.ratio) ** (number / self.recipe.rounds))

    def round(self, number: int) -> dict[str, Any]:
        """Trains what is left with its masks, and removes what they say, unless that is done."""
        folder = self.out / f"round-{number}"
        if not (folder / TICKET).is_file():
            ticket = self._ticket(number - 1)
            few = replace(
                self.trained,
                epochs=min(self.recipe.epochs, self.trained.epochs),
                patience=self.recipe.epochs,
            )
            masked, _, state = self._train(ticket, self.recipe.method == "learned", few, folder)
            target = self.target(number)
            less = ticket.without_weights if self.recipe.unstructured else ticket.without_structure
            left = less(masked.worths(), target)
            sizes = {"macs": left.macs, "nonzero_macs": left.nonzero_macs}
            left.save(folder, {"round": number, "logloss": state.best["valid_logloss"], **sizes})
            (folder / CHECKPOINT).unlink(missing_ok=True)
        made = read_scores(folder)
        self.log(
            f"round {number} of {self.recipe.rounds}: {made['macs']:,} macs left, "
            f"{made['nonzero_macs']:,} of weights that are not 0"
        )
        return made

    def final(self) -> dict[str, Any]:
        """Trains what is left as the path was trained, and writes the model."""
        ticket = self._ticket(self.recipe.rounds)
        masked, ranker, state = self._train(ticket, False, self.trained, self.out / FINAL)
        write_cut(self.out, self.path, ticket.cut)
        model = registry.save(_with_tower(ranker, masked.fold()), self.out / MODEL)
        return {
            "model": f"{path_name(self.path)}-{self.recipe.method}",
            "seed": self.trained.seed,
            "macs": count_macs(model),
            "nonzero_macs": ticket.nonzero_macs,
            "params": int(model.count_params()),
            "tower_params": int(model.tower.count_params()),
            "table_rows": self.source.layout.table_rows,
            "rows": self.source.rows["train"],
            "epochs": state.epoch,
            "best_epoch": state.best_epoch,
            "auc": state.best["valid_auc"],
            "logloss": state.best["valid_logloss"],
            "split": "valid",
            "weights_sha256": registry.weights_sha256(model),
        }

    def tidy(self) -> None:
        """Removes what only an interrupted pruning needs."""
        for checkpoint in self.out.glob(f"*/{CHECKPOINT}"):
            checkpoint.unlink(missing_ok=True)

    def _ticket(self, number: int) -> Ticket:
        """What is left after some rounds."""
        if number == 0:
            return Ticket(self.path, whole(self.path), {})
        return read_ticket(self.out / f"round-{number}", self.path)

    def _train(
        self, ticket: Ticket, learned: bool, recipe: Recipe, folder: File
    ) -> tuple[MaskedTower, Ranker, State]:
        # Names of layers count up within a process.
        keras.backend.clear_session()
        tf.config.experimental.enable_op_determinism()
        small = ticket.model(registry.build(self.path, self.source.layout, recipe, self.source.prior), recipe)
        masked = MaskedTower(small.tower, learned, self.recipe.unstructured)
        ranker = _with_tower(small, masked)
        del small  # its table may be large
        compile_for(ranker, recipe)
        state = run_epochs(ranker, self.source, recipe, folder, self.log, self.checkpoint_seconds)
        return masked, ranker, state


def _with_tower(ranker: Ranker, tower: keras.layers.Layer) -> Ranker:
    """A model like another one around a tower; not compiled."""
    found = Ranker(
        ranker.layout,
        ranker.embedding_dim,
        tower,
        embedding_l2=ranker.embedding_l2,
        clip_norm=ranker.clip_norm,
        prior=float(ranker.prior),
        name=ranker.name,
    )
    found.embedding.table.assign(ranker.embedding.table)
    return found
