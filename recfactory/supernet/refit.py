"""The last layer fitted anew to what a path makes of the data, instead of fine-tuning it step by step."""

from typing import Any

import numpy as np
import numpy.typing as npt
from scipy.optimize import minimize
from scipy.special import expit

Floats = npt.NDArray[np.floating[Any]]


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
    mean = share @ features
    deviation = np.sqrt(np.maximum(share @ np.square(features) - np.square(mean), 1e-12))
    scaled = (features - mean) / deviation
    # Coefficients of the scaled features, in which the start is the same function.
    origin = np.append(start[:-1] * deviation, start[-1] + start[:-1] @ mean)

    def objective(coefficients: Floats) -> tuple[float, Floats]:
        inner = coefficients.astype(np.float32)
        logits = (scaled @ inner[:-1] + inner[-1]).astype(np.float64)
        losses = np.logaddexp(0.0, logits) - label * logits
        residual = (share * (expit(logits) - label)).astype(np.float32)
        distance = coefficients - origin
        distance[-1] = 0.0
        gradient = np.append(residual @ scaled, residual.sum()).astype(np.float64) + decay * distance
        return float(share @ losses + 0.5 * decay * distance @ distance), gradient

    found = minimize(
        objective, origin.astype(np.float64), jac=True, method="L-BFGS-B", options={"maxiter": iterations}
    ).x
    slopes = found[:-1] / deviation
    return np.append(slopes, found[-1] - slopes @ mean)
