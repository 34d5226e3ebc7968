"""Fits the predictor to scored trials."""

from collections.abc import Callable, Sequence
from dataclasses import replace
from operator import itemgetter
from typing import Any

import numpy as np
import numpy.typing as npt
import tensorflow as tf
from scipy.stats import kendalltau

from recfactory.errors import UsageError, UserError
from recfactory.predictor.folded import Folded
from recfactory.predictor.kinds import Kind
from recfactory.predictor.network import Network
from recfactory.predictor.options import PredictorOptions
from recfactory.predictor.scale import Scale, scale_of
from recfactory.predictor.symbols import one_hot
from recfactory.predictor.training import Batches, Trainer
from recfactory.search.candidates import AnyRows
from recfactory.search.choice import LEAST
from recfactory.search.objectives import Floats
from recfactory.space.genes import Rows

Augment = Callable[[Rows, np.random.Generator], Rows]
"""Genes of other candidates that do as those given, row by row."""
PRETRAIN_BATCH = 256


class Predictor:
    """Tells from effective genes what loss to expect.

    Args:
        folded: the trained network.
        scale: of the losses.
        options: with the chosen one of `widths` and of `decays`.
        kendall: Kendall's tau of what the chosen options predict of trials that they did not learn; a little
            too good, as it is the best of several. 0 where all losses are equal.
    """

    def __init__(self, folded: Folded, scale: Scale, options: PredictorOptions, kendall: float) -> None:
        self._folded, self._scale, self.options, self.kendall = folded, scale, options, kendall

    def predict(self, genes: AnyRows) -> Floats:
        """The losses to expect.

        Args:
            genes: effective genes, `(n, length)`.

        Returns:
            `(n,)`, in units of the losses learned.

        Raises:
            UserError: when these are no genes of the space.
        """
        return self._scale.back(self._folded.predict(genes).astype(np.float64))


def fit_predictor(
    symbols: Sequence[int],
    genes: AnyRows,
    losses: Floats,
    options: PredictorOptions = PredictorOptions(),  # noqa: B008, frozen
    seed: int = 0,
    pretrain: tuple[Rows, npt.NDArray[Any]] | None = None,
    augment: Augment | None = None,
    kinds: Sequence[Kind] = (),
) -> Predictor:
    """Learns from scored trials how others would do (FGPS, arXiv 2310.20705, section 4).

    Networks of several sizes and weight decays are trained on parts of the trials and predict the others. The
    one with the highest Kendall's tau is trained again, on all.

    Args:
        symbols: how many symbols each column of genes holds.
        genes: effective genes of the trials, `(n, length)`.
        losses: of the trials, `(n,)`; small for good ones.
        options: what is made.
        seed: of initial values, parts and pairs.
        pretrain: genes and their multiply-accumulates, learned first; for `options.pretrain`.
        augment: renumbers the blocks of genes; for `options.isomorphism`.
        kinds: of the columns; for the encoding `pids`.

    Returns:
        The same for the same arguments.

    Raises:
        UserError: for too few trials, losses that are no finite numbers, or genes of another space.
        UsageError: when an argument is missing that the options need.
    """
    losses = np.asarray(losses, np.float64)
    _check(genes, losses)
    _check_options(options, pretrain=pretrain, augment=augment, kinds=kinds)
    rng = np.random.default_rng(seed)
    scale = scale_of(losses, options.clip)
    targets = scale.forth(losses).astype(np.float32)
    parts = [genes]
    if options.isomorphism and augment:
        parts += [augment(genes.astype(np.int16), rng) for _ in range(options.copies - 1)]
    inputs = np.stack([one_hot(symbols, part).toarray() for part in parts])
    everything = Batches(inputs, np.broadcast_to(targets, inputs.shape[:2]))
    kinds = kinds if options.encoding == "pids" else ()
    folds = np.array_split(rng.permutation(len(genes)), min(options.folds, len(genes)))
    tried: list[tuple[float, Trainer, PredictorOptions]] = []
    # The networks are so small that moving their data to a GPU would take longer than all the rest.
    with tf.device("CPU"):
        for widths in options.widths:
            network = Network(symbols, options.embedding, widths, rng, kinds)
            trainer = Trainer(network, options, rng)
            if options.pretrain and pretrain:
                trainer.pretrain(*_macs_batches(symbols, *pretrain, options, rng))
            for decay in options.decays:
                one = replace(options, widths=(widths,), decays=(decay,))
                predicted = trainer.cross_predict(everything, folds, decay)
                tried.append((_kendall(predicted, losses), trainer, one))
        kendall, trainer, chosen = max(tried, key=itemgetter(0))
        trainer.fit(everything, chosen.decays[0])
    return Predictor(Folded(symbols, trainer.network), scale, chosen, kendall)


def _macs_batches(
    symbols: Sequence[int],
    genes: Rows,
    macs: npt.NDArray[Any],
    options: PredictorOptions,
    rng: np.random.Generator,
) -> tuple[Batches, int]:
    """The log of macs (PIDS, arXiv 2211.15759) in batches, and how many steps they are learned."""
    if len(macs) != len(genes) or not (np.asarray(macs) > 0).all():
        raise UserError("predictor: the rows to learn first need one number above 0 each, their macs")
    logs = np.log(np.asarray(macs, np.float64))
    targets = scale_of(logs, options.clip).forth(logs).astype(np.float32)
    rows = min(PRETRAIN_BATCH, len(genes))
    batches = len(genes) // rows
    used = rng.permutation(len(genes))[: batches * rows].reshape(batches, rows)
    inputs = np.stack([one_hot(symbols, genes[batch]).toarray() for batch in used])
    return Batches(inputs, targets[used]), batches * options.pretrain_epochs


def _kendall(predicted: Floats, losses: Floats) -> float:
    tau = float(kendalltau(predicted, losses).statistic)
    return tau if np.isfinite(tau) else 0.0


def _check(genes: AnyRows, losses: Floats) -> None:
    if losses.shape != (len(genes),):
        raise UserError(f"predictor: {len(genes)} trials need as many losses, not {losses.shape}")
    if len(genes) < LEAST:
        raise UserError(f"predictor: {len(genes)} trials are too few to learn from; score at least {LEAST}")
    for trial in np.flatnonzero(~np.isfinite(losses)):
        raise UserError(
            f"predictor: the loss of trial {trial} is {losses[trial]}; leave out trials without a finite loss"
        )


def _check_options(options: PredictorOptions, **given: object) -> None:
    needs = {
        "pretrain": options.pretrain,
        "augment": options.isomorphism,
        "kinds": options.encoding == "pids",
    }
    for name, needed in needs.items():
        if needed and not given[name]:
            raise UsageError(f"predictor: its options need the argument '{name}'; see fit_on_space")
