"""The last layer fitted anew to what a path makes of the data, instead of fine-tuning it step by step."""

from typing import Any

import numpy as np
import numpy.typing as npt
from scipy.optimize import minimize
from scipy.special import expit

Floats = npt.NDArray[np.floating[Any]]
PART = 2**18
"""Numbers in a part of the features: few enough to stay near the processor and for one thread alone."""


def refit(
    features: Floats, label: Floats, weight: Floats, start: Floats, decay: float, iterations: int = 50
) -> Floats:
    """Fits a logistic regression by L-BFGS, near the coefficients it starts from.

    Minimises the weighted mean LogLoss plus half of `decay` times the squared distance from the start, in
    units of each feature's deviation.

    Args:
        features: `(rows, width)`.
        label: `(rows,)`, 0 or 1.
        weight: `(rows,)`.
        start: `(width + 1,)`, the bias last.
        decay: pull towards the start.
        iterations: at most.

    Returns:
        The coefficients, `(width + 1,)`.
    """
    share = (weight / weight.sum()).astype(np.float32)
    rows = max(1, PART // features.shape[1])
    parts = [slice(i, i + rows) for i in range(0, len(features), rows)]
    mean = share @ features
    scaled = features - mean
    deviation = np.sqrt(np.maximum(sum(share[p] @ np.square(scaled[p]) for p in parts), 1e-12))
    scaled /= deviation
    # Coefficients of the scaled features, in which the start is the same function.
    origin = np.append(start[:-1] * deviation, start[-1] + start[:-1] @ mean)

    def objective(coefficients: Floats) -> tuple[float, Floats]:
        inner = coefficients.astype(np.float32)
        loss, slopes, total = 0.0, np.zeros(len(inner) - 1), 0.0
        # Each part is near the processor for its second product.
        for part in parts:
            logits = (scaled[part] @ inner[:-1] + inner[-1]).astype(np.float64)
            loss += share[part] @ (np.logaddexp(0.0, logits) - label[part] * logits)
            residual = (share[part] * (expit(logits) - label[part])).astype(np.float32)
            slopes += residual @ scaled[part]
            total += residual.sum()
        distance = coefficients - origin
        distance[-1] = 0.0
        gradient = np.append(slopes, total) + decay * distance
        return float(loss + 0.5 * decay * distance @ distance), gradient

    found = minimize(
        objective, origin.astype(np.float64), jac=True, method="L-BFGS-B", options={"maxiter": iterations}
    ).x
    slopes = found[:-1] / deviation
    return np.append(slopes, found[-1] - slopes @ mean)
