"""A model's probabilities for all rows of a split, beside what happened."""

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from recfactory.metrics import auc, logloss
from recfactory.models.ranker import Ranker
from recfactory.training.source import Source

Floats = npt.NDArray[np.float32]


@dataclass(frozen=True)
class Answers:
    """What a model is measured against.

    Args:
        label: `(rows,)` 0 or 1.
        weight: `(rows,)`.
    """

    label: Floats
    weight: Floats


def read_answers(source: Source, split: str) -> Answers:
    """Labels and weights of a split, in the order of `probabilities`."""
    pairs = [(label.numpy(), weight.numpy()) for _, label, weight in source.in_order(split)]
    return Answers(np.concatenate([p[0] for p in pairs]), np.concatenate([p[1] for p in pairs]))


def probabilities(ranker: Ranker, source: Source, split: str) -> Floats:
    """Predicted click probabilities of a split, `(rows,)`."""
    inputs = source.in_order(split).map(lambda inputs, label, weight: inputs)
    predicted: Floats = ranker.predict(inputs, verbose=0)
    return predicted


def measure(answers: Answers, predicted: Floats) -> tuple[float, float]:
    """Weighted LogLoss and AUC, exact."""
    return (
        logloss(answers.label, predicted, answers.weight),
        auc(answers.label, predicted, answers.weight),
    )
