"""The predictor as a Keras model: genes, one-hot, to a scaled loss."""

from collections.abc import Sequence
from itertools import combinations
from typing import Any

import keras
import numpy as np
import tensorflow as tf

from recfactory.predictor.kinds import Kind, statistics
from recfactory.predictor.symbols import places_of

HIDDEN, VECTOR = 32, 8
"""Widths of the encoder of one kind: its hidden layer and its result."""
SPREAD = 0.1
"""Standard deviation of new embeddings. With large ones, a step of Adam on all of them leaps too far."""


class SymbolLinear(keras.layers.Layer):
    """Embeds the symbols of some columns, concatenates the embeddings and applies a linear layer.

    As both are linear, each symbol of each column has one vector that is added for it; `folded` are these
    vectors. The layer adds them up, which is faster than embedding first, and the same.

    Args:
        symbols: how many symbols each column holds.
        embedding: numbers in an embedding.
        units: outputs.
        rng: of the initial values.
        numbers: for embeddings that are known and not learned: a row per symbol, column by column.
    """

    def __init__(
        self,
        symbols: Sequence[int],
        embedding: int,
        units: int,
        rng: np.random.Generator,
        numbers: list[list[float]] | None = None,
    ) -> None:
        super().__init__()
        self.symbols, self.embedding, self.units, self.numbers = tuple(symbols), embedding, units, numbers
        self._seeds = _seed(rng), _seed(rng)
        # Columns are as long as the longest one, so that one product does for all of them.
        self._used = np.flatnonzero(np.arange(max(symbols)) < np.array(symbols)[:, np.newaxis])

    def build(self, input_shape: Any) -> None:
        """Makes the weights: the embeddings, a matrix for each column, the bias."""
        columns, longest = len(self.symbols), max(self.symbols)
        if self.numbers is None:
            shape, spread = (columns, longest, self.embedding), SPREAD
            table: Any = keras.initializers.RandomNormal(0.0, SPREAD, self._seeds[0])
        else:
            shape, spread = (columns, longest, len(self.numbers[0])), 1.0
            padded = np.zeros((columns * longest, shape[-1]), np.float32)
            padded[self._used] = self.numbers
            table = keras.initializers.Constant(padded.reshape(shape))
        # The outputs start as those of a Glorot layer whose inputs have deviation 1.
        bound = (6 / (columns * shape[-1] + self.units)) ** 0.5 / spread
        kernel = keras.initializers.RandomUniform(-bound, bound, self._seeds[1])
        self.table = self.add_weight(shape, table, trainable=self.numbers is None, name="table")
        self.kernel = self.add_weight((columns, shape[-1], self.units), kernel, name="kernel")
        self.bias = self.add_weight((self.units,), "zeros", name="bias")
        self.built = True

    def folded(self) -> tf.Tensor:
        """What each symbol adds to the output, `(all symbols, units)`, column by column."""
        products = tf.matmul(self.table, self.kernel)
        return tf.gather(tf.reshape(products, (-1, self.units)), self._used)

    def call(self, one_hot: tf.Tensor) -> tf.Tensor:
        """The layer of symbols `(rows, all symbols)`, one-hot, column by column."""
        return tf.matmul(one_hot, self.folded()) + self.bias


class Network(keras.Model):
    """The predictor before training.

    Args:
        symbols: how many symbols each column of genes holds.
        embedding: numbers in the embedding of a symbol.
        widths: of the hidden layers.
        rng: of the initial values.
        kinds: whose encodings are fused; without, all columns are encoded alike, by the first hidden layer.
    """

    def __init__(
        self,
        symbols: Sequence[int],
        embedding: int,
        widths: Sequence[int],
        rng: np.random.Generator,
        kinds: Sequence[Kind] = (),
    ) -> None:
        super().__init__()
        self.inputs_width = sum(symbols)
        if kinds:
            self.places = [places_of(symbols, kind.columns) for kind in kinds]
            self.encoders = [_encoder(symbols, embedding, kind, rng) for kind in kinds]
            self.vectors = [_dense(VECTOR, rng) for _ in kinds]
        else:
            self.places = [np.arange(self.inputs_width)]
            self.encoders = [SymbolLinear(symbols, embedding, widths[0], rng)]
            self.vectors = []
        hidden = widths if kinds else widths[1:]
        self.trunk = [_dense(width, rng) for width in (*hidden, 1)]
        self(tf.zeros((1, self.inputs_width)))

    def call(self, one_hot: tf.Tensor) -> tf.Tensor:
        """Scaled losses `(rows,)` of genes `(rows, all symbols)`, one-hot, column by column."""
        hidden = [
            tf.nn.silu(encoder(tf.gather(one_hot, places, axis=1)))
            for places, encoder in zip(self.places, self.encoders, strict=True)
        ]
        if self.vectors:
            vectors = [layer(part) for layer, part in zip(self.vectors, hidden, strict=True)]
            products = [tf.reduce_sum(a * b, axis=1, keepdims=True) for a, b in combinations(vectors, 2)]
            hidden = [*vectors, *products]
        outputs = tf.concat(hidden, axis=1)
        for layer in self.trunk[:-1]:
            outputs = tf.nn.silu(layer(outputs))
        return self.trunk[-1](outputs)[:, 0]


def _encoder(symbols: Sequence[int], embedding: int, kind: Kind, rng: np.random.Generator) -> SymbolLinear:
    numbers = None if kind.sizes is None else statistics(kind)
    return SymbolLinear([symbols[at] for at in kind.columns], embedding, HIDDEN, rng, numbers)


def _dense(units: int, rng: np.random.Generator) -> keras.layers.Dense:
    return keras.layers.Dense(units, kernel_initializer=keras.initializers.GlorotUniform(_seed(rng)))


def _seed(rng: np.random.Generator) -> int:
    return int(rng.integers(2**31))
