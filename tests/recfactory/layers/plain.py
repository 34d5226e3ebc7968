"""Operators in plain NumPy, and layers with random weights to hold against them."""

import numpy as np


def numbers(*shape, seed=0):
    return np.random.default_rng(seed).normal(size=shape).astype(np.float32)


def filled(layer, inputs, seed=7):
    """Gives a layer random weights, built for these inputs; returns them by the name of their operation."""
    if not layer.built:
        layer.build([x.shape for x in inputs])
    rng = np.random.default_rng(seed)
    found = {}
    for name, variables in layer.named.items():
        for variable in variables:
            if hasattr(variable, "assign"):
                variable.assign(rng.normal(size=variable.shape) / np.sqrt(variable.shape[0]))
        found[name] = [np.asarray(variable, np.float64) for variable in variables]
    return found


def normal(x, bias, gain, shift):
    """Bias, then layer normalisation over the last axis."""
    x = x + bias
    centred = x - x.mean(-1, keepdims=True)
    return centred / np.sqrt((centred**2).mean(-1, keepdims=True) + 1e-5) * gain + shift


def sigmoid(x):
    return 1.0 / (1.0 + np.exp(-x))


def relu(x):
    return np.maximum(x, 0.0)
