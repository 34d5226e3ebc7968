"""Differences between models on the same rows, with what chance has in them."""

from collections.abc import Sequence

import numpy as np
from scipy.stats import sem, t

from recfactory.metrics import METRICS
from recfactory.training.score import Answers, Floats

DRAWS = 400


def auc_losses(answers: Answers, before: Floats, after: Floats) -> list[float]:
    """How much AUC one model has less than another, on the rows and on rows drawn from them.

    Args:
        answers: of the rows.
        before: predictions of the model that it is compared with, `(rows,)`.
        after: its own.

    Returns:
        The loss, and that of each draw; draws of the same rows are the same.
    """
    label, weight = answers.label.astype(np.float64), answers.weight.astype(np.float64)
    auc_before, auc_after = (METRICS["auc"](label, each.astype(np.float64)) for each in (before, after))
    rng, rows = np.random.default_rng(0), len(label)
    draws = [weight * rng.multinomial(rows, np.full(rows, 1 / rows)) for _ in range(DRAWS)]
    return [auc_before(each) - auc_after(each) for each in (weight, *draws)]


def over_seeds(values: Sequence[float]) -> list[float | None]:
    """The mean of what each seed gave, with the ends of its 95% interval: what other seeds might give.

    Student's t; None for the ends where there is one seed.
    """
    mean = float(np.mean(values))
    if len(values) < 2:
        return [mean, None, None]
    wide = float(t.ppf(0.975, len(values) - 1) * sem(values))
    return [mean, mean - wide, mean + wide]


def deviation(values: Sequence[float]) -> float | None:
    """The standard deviation of what each seed gave; None where there is one seed."""
    return float(np.std(values, ddof=1)) if len(values) > 1 else None


def mean_and_interval(losses: Sequence[Sequence[float]]) -> list[float]:
    """The mean over seeds of what `auc_losses` says: value, 2.5% and 97.5% points.

    What other rows might give; what other trainings would, `over_seeds` says.
    """
    value, *draws = np.mean(losses, axis=0)
    return [float(value), *map(float, np.quantile(draws, [0.025, 0.975]))]
