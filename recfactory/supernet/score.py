"""How good a path is, judged with the shared weights and a last layer of its own."""

from dataclasses import dataclass
from functools import cache, partial
from typing import Any, NamedTuple

import numpy as np
import numpy.typing as npt
import tensorflow as tf
from scipy.special import expit

from recfactory.layers.stem import source_zero
from recfactory.metrics import auc, logloss
from recfactory.quantise import fake
from recfactory.quantise.precision import Precision
from recfactory.settings import require
from recfactory.space.path import Path
from recfactory.supernet.quantised import quantised_subnet, without_crossbars
from recfactory.supernet.refit import refit
from recfactory.supernet.subnet import Subnet
from recfactory.supernet.supernet import Supernet
from recfactory.training.source import Source

Floats = npt.NDArray[np.float32]
Coefficients = npt.NDArray[np.floating[Any]]
CHUNK = 1024
"""Rows that are run at once: enough for the calls not to matter, few enough to stay near the processor."""
PULLS = (1.0, 10.0, 100.0, 1000.0)
"""Times the decay: how strongly a last layer of few bits is pulled, the weakest that does best."""
PULLED_ROWS = 4096
"""Training rows that say which does."""


@dataclass(frozen=True)
class Scoring:
    """How paths are scored in a supernet.

    Args:
        refit_rows: training rows that the last layer is fitted to; 0 keeps the shared one.
        decay: pull of the fit towards the shared last layer, see `refit`.
        valid_rows: validation rows to score on, drawn once, the same for all paths; None for all.
    """

    refit_rows: int = 16_384
    decay: float = 0.1
    valid_rows: int | None = 20_000

    def __post_init__(self) -> None:
        require(self.refit_rows >= 0, "scoring: refit_rows", self.refit_rows, "0 or more")
        require(self.decay > 0, "scoring: decay", self.decay, "above 0")
        few = self.valid_rows is not None and self.valid_rows < 1
        require(not few, "scoring: valid_rows", self.valid_rows, "1 or more")


class Score(NamedTuple):
    """What a path reached on validation rows."""

    logloss: float
    auc: float


@dataclass(frozen=True)
class Rows:
    """Rows as source 0, which is the same for all paths.

    Args:
        zero: numbers and tokens, `CHUNK` rows at a time.
        label: `(rows,)`.
        weight: `(rows,)`.
    """

    zero: list[tuple[tf.Tensor, tf.Tensor]]
    label: Floats
    weight: Floats


class Scorer:
    """Scores paths of a trained supernet on validation rows.

    Instead of fine-tuning the last layer for 500 steps (NASRec, section 4.2) it is fitted in one go to the
    features that the path makes of some training rows.

    Args:
        supernet: trained; embeddings are looked up once, so that it must not be trained further.
        source: of the rows.
        scoring: how.
        embedding: bits of the embedding table.
    """

    def __init__(
        self,
        supernet: Supernet,
        source: Source,
        scoring: Scoring | None = None,
        embedding: int = 32,
    ) -> None:
        scoring = scoring or Scoring()
        self.supernet, self.decay, self.embedding = supernet, scoring.decay, embedding
        # Those of other bits of the table, whose rows are other ones.
        self._others = cache(partial(Scorer, supernet, source, scoring))
        self._valid = self._read(source, "valid", scoring.valid_rows)
        self._train = self._read(source, "train", scoring.refit_rows) if scoring.refit_rows else None

    def score(self, path: Path, precision: Precision | None = None) -> Score:
        """Validation LogLoss and AUC of a path.

        Args:
            path: of the supernet's space.
            precision: how it computes; None for float32. The last layer is fitted to features made with it,
                but without what the crossbars of a chip add to the error: a model is not made for one chip.
        """
        subnet = self.supernet.subnet(path)
        if precision is None:
            return self.judge(subnet, self.fit(subnet))
        if precision.embedding != self.embedding:
            return self._others(precision.embedding).score(path, precision)
        if self._train is None:
            raise ValueError("few bits are chosen by training rows: give the scorer some refit_rows")
        few = quantised_subnet(subnet, precision, *self._train.zero[0])
        return self.judge(few, self._fit_rounded(few, self._train))

    def fit(self, subnet: Subnet) -> Coefficients:
        """The last layer of a path, its bias last: fitted anew, or the shared one where `refit_rows` is 0."""
        shared = _last_layer(subnet)
        if self._train is None:
            return shared
        features = _features(subnet, self._train, len(shared) - 1)
        return refit(features, self._train.label, self._train.weight, shared, self.decay)

    def _fit_rounded(self, few: Subnet, train: Rows) -> Coefficients:
        """The last layer of a path with few bits, pulled as much as its own rounding and crossbar ask for.

        A fit that knows nothing of them ends in coefficients of very different sizes, of which the largest
        sets the step that all are rounded to.
        """
        shared = _last_layer(few)
        features = _features(without_crossbars(few), train, len(shared) - 1)
        some = slice(PULLED_ROWS)
        best, least = shared, np.inf
        for pull in PULLS:
            found = refit(features, train.label, train.weight, shared, self.decay * pull)
            logits = few.ending(found).logits_of(tf.constant(features[some])).numpy()[:, 0]
            loss = logloss(train.label[some], expit(logits), train.weight[some])
            if loss >= least:
                break
            best, least = found, loss
        return best

    def judge(self, subnet: Subnet, coefficients: Coefficients) -> Score:
        """Validation LogLoss and AUC of a path with this last layer."""
        ending = subnet.ending(coefficients)
        # The features themselves are many times as many numbers as all rows have, and are not kept.
        logits = [ending.logits(*batch).numpy()[:, 0] for batch in self._valid.zero]
        predicted = expit(np.concatenate(logits))
        answers = (self._valid.label, predicted, self._valid.weight)
        return Score(logloss(*answers), auc(*answers))

    def _read(self, source: Source, split: str, limit: int | None) -> Rows:
        """So many rows from all over the split, whose first ones may be of one day or one answer.

        Where those that are drawn are of one class alone, which nothing can be measured on, some give way.
        """
        count = source.rows[split]
        places = np.random.default_rng(0).choice(count, min(count, limit or count), replace=False)
        numbers, ids, label, weight = _rows_at(source, split, places)
        if len(places) < count and len(held := np.unique(label[weight > 0])) == 1:
            places = _with_the_other_class(source, split, places, held[0])
            numbers, ids, label, weight = _rows_at(source, split, places)
        zero = []
        for start in range(0, len(places), CHUNK):
            some = tf.constant(ids[start : start + CHUNK])
            vectors = fake.embeddings(self.supernet.embedding.lookup(some), self.embedding)
            fields = self.supernet.embedding.pool(vectors, some)
            few = tf.constant(numbers[start : start + CHUNK])
            zero.append(source_zero(self.supernet.space.raw_dense, few, fields))
        return Rows(zero, label, weight)


def _rows_at(source: Source, split: str, places: npt.NDArray[np.int64]) -> list[npt.NDArray[Any]]:
    """Numbers, ids, labels and weights of some rows of a split, in the order of their places."""
    order = np.argsort(places)
    wanted, found, start = places[order], [], 0
    for inputs, label, weight in source.in_order(split):
        begin, end = np.searchsorted(wanted, (start, start + len(label)))
        here = wanted[begin:end] - start
        found.append([part.numpy()[here] for part in (inputs["numbers"], inputs["ids"], label, weight)])
        start += len(label)
    back = np.argsort(order)
    return [np.concatenate(parts)[back] for parts in zip(*found, strict=True)]


def _with_the_other_class(
    source: Source, split: str, places: npt.NDArray[np.int64], held: float
) -> npt.NDArray[np.int64]:
    """Places of rows of one class, some of them given to the other class in its share of the split."""
    answers = [(label.numpy(), weight.numpy()) for _, label, weight in source.in_order(split)]
    label, weight = (np.concatenate(parts) for parts in zip(*answers, strict=True))
    others = np.flatnonzero((label != held) & (weight > 0))
    few = min(len(others), max(1, round(len(places) * len(others) / len(label))))
    drawn = np.random.default_rng(0).choice(others, few, replace=False)
    return np.concatenate([places[: len(places) - few], drawn])


def _features(subnet: Subnet, rows: Rows, width: int) -> Floats:
    features, start = np.empty((len(rows.label), width), np.float32), 0
    for batch in rows.zero:
        made = subnet.features(*batch).numpy()
        features[start : start + len(made)] = made
        start += len(made)
    return features


def _last_layer(subnet: Subnet) -> Floats:
    head = next(slices for part, slices in subnet.slices.items() if part.role == "head")
    kernel, bias = head["kernel"].matrix()
    return np.append(kernel.numpy()[:, 0], bias.numpy())
