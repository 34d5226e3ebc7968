"""The trained predictor in NumPy, for very many calls: its first layer is a sum of rows of a table."""

from collections.abc import Sequence
from itertools import combinations

import numpy as np
import numpy.typing as npt

from recfactory.predictor.network import Network
from recfactory.predictor.symbols import one_hot
from recfactory.search.candidates import AnyRows

Array = npt.NDArray[np.float32]
Layer = tuple[Array, Array]
"""Matrix and bias."""
_AT_ONCE = 64
"""Rows of a product; larger ones are given to several threads, whose start takes longer on a busy machine."""


class Folded:
    """A network's weights, arranged for prediction.

    Args:
        symbols: how many symbols each column of genes holds.
        network: trained.
    """

    def __init__(self, symbols: Sequence[int], network: Network) -> None:
        self.symbols = tuple(symbols)
        widths = [encoder.units for encoder in network.encoders]
        stops = np.cumsum(widths)
        table = np.zeros((sum(symbols), stops[-1]), np.float32)
        for encoder, places, stop in zip(network.encoders, network.places, stops, strict=True):
            table[places, stop - encoder.units : stop] = encoder.folded().numpy()
        self.first: Layer = (table, np.concatenate([encoder.bias.numpy() for encoder in network.encoders]))
        self.parts = [slice(stop - width, stop) for stop, width in zip(stops, widths, strict=True)]
        self.vectors = [_weights(layer) for layer in network.vectors]
        self.trunk = [_weights(layer) for layer in network.trunk]

    def predict(self, genes: AnyRows) -> Array:
        """Scaled losses `(n,)` of genes `(n, length)`."""
        parts = range(0, len(genes), _AT_ONCE)
        found = [self._predict(genes[start : start + _AT_ONCE]) for start in parts]
        return np.concatenate(found) if found else np.zeros(0, np.float32)

    def _predict(self, genes: AnyRows) -> Array:
        hidden = _silu(one_hot(self.symbols, genes) @ self.first[0] + self.first[1])
        if self.vectors:
            vectors = [
                _apply(layer, hidden[:, part]) for layer, part in zip(self.vectors, self.parts, strict=True)
            ]
            products = [(a * b).sum(axis=1, keepdims=True) for a, b in combinations(vectors, 2)]
            hidden = np.concatenate([*vectors, *products], axis=1)
        for layer in self.trunk[:-1]:
            hidden = _silu(_apply(layer, hidden))
        return _apply(self.trunk[-1], hidden)[:, 0]


def _weights(layer: object) -> Layer:
    kernel, bias = layer.get_weights()  # type: ignore[attr-defined]
    return kernel, bias


def _apply(layer: Layer, inputs: Array) -> Array:
    return inputs @ layer[0] + layer[1]


def _silu(values: Array) -> Array:
    # The sigmoid by way of tanh, which cannot overflow.
    return values * (0.5 + 0.5 * np.tanh(0.5 * values))
