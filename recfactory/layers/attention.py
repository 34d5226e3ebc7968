"""The sparse operator Attention."""

from collections.abc import Callable
from math import gcd

import keras
import tensorflow as tf

from recfactory.layers.normalise import add_bias, normalise
from recfactory.layers.operator import OperatorLayer, Weights
from recfactory.layers.product import Matrix, product
from recfactory.layers.token_linear import token_linear
from recfactory.space.operators import HEADS

CHUNKS = 8
KEPT = 4
"""Chunks whose softmax is kept for the way back; the others' is computed again, for the sake of memory."""


@keras.saving.register_keras_serializable(package="recfactory")
class Attention(OperatorLayer):
    """A linear layer over tokens, then one encoder layer of self-attention with 8 heads (NASRec, table 1).

    Both residuals are normalised over the embedding, with gains that start at 0.17; the feed-forward layer is
    as wide as the embedding.
    """

    kind = "attention"
    gain = 0.17

    @classmethod
    def compute(cls, weights: Weights, *inputs: tf.Tensor) -> tf.Tensor:
        """Maps tokens `(batch, embedding_dim, tokens)` to `(batch, embedding_dim, dim)`."""
        kernel, bias = weights["kernel"]
        tokens = token_linear(inputs[0], kernel) + bias
        projected = tf.split(_each(tokens, *weights["qkv"]), 3, axis=1)
        query, key, value = (tf.ensure_shape(part, tokens.shape) for part in projected)
        out, bias, gain, shift = weights["out"]
        tokens = normalise(tokens + _each(attend(query, key, value), out), bias, gain, shift, axis=1)
        contract, bias, gain, shift = weights["contract"]
        inner = tf.nn.relu(_each(tokens, *weights["expand"]))
        return normalise(tokens + _each(inner, contract), bias, gain, shift, axis=1)


def attend(query: tf.Tensor, key: tf.Tensor, value: tf.Tensor) -> tf.Tensor:
    """Multi-head scaled dot-product attention (Vaswani et al. 2017, section 3.2).

    Args:
        query: `(batch, embedding_dim, tokens)`.
        key: likewise.
        value: likewise.

    Returns:
        `(batch, embedding_dim, tokens)`.
    """
    shape = tf.shape(query)
    width = query.shape[1]
    heads = gcd(HEADS, width)
    split = [shape[0], heads, width // heads, shape[2]]
    query = tf.reshape(query, split) * (width // heads) ** -0.5
    return tf.reshape(_mix(query, tf.reshape(key, split), tf.reshape(value, split)), shape)


@tf.custom_gradient
def _mix(
    query: tf.Tensor, key: tf.Tensor, value: tf.Tensor
) -> tuple[tf.Tensor, Callable[[tf.Tensor], tuple[tf.Tensor, ...]]]:
    """Softmax of inner products over keys, then the mean of values; `(batch, heads, width, tokens)` each.

    The batch is cut into chunks, whose large matrices stay near the processor from one operation to the next.
    """
    shares, mixed = [], []
    for q, k, v in _cut(query, key, value):
        shares.append(_shares(q, k))
        mixed.append(tf.matmul(v, shares[-1], transpose_b=True))
    result = tf.concat(mixed, 0)

    def gradient(upstream: tf.Tensor) -> tuple[tf.Tensor, ...]:
        chunks = _cut(query, key, value, result, upstream)
        gradients = [
            _mix_gradient(kept if i < KEPT else _shares(*chunk[:2]), *chunk)
            for i, (kept, chunk) in enumerate(zip(shares, chunks, strict=True))
        ]
        of_query, of_key, of_value = (tf.concat(parts, 0) for parts in zip(*gradients, strict=True))
        return of_query, of_key, of_value

    return result, gradient


def _shares(query: tf.Tensor, key: tf.Tensor) -> tf.Tensor:
    return tf.nn.softmax(tf.matmul(query, key, transpose_a=True))


def _cut(*tensors: tf.Tensor) -> list[tuple[tf.Tensor, ...]]:
    size = -(-tf.shape(tensors[0])[0] // CHUNKS)
    return [tuple(x[i * size : (i + 1) * size] for x in tensors) for i in range(CHUNKS)]


def _mix_gradient(
    shares: tf.Tensor,
    query: tf.Tensor,
    key: tf.Tensor,
    value: tf.Tensor,
    mixed: tf.Tensor,
    upstream: tf.Tensor,
) -> tuple[tf.Tensor, ...]:
    """The way back through one chunk.

    The softmax's inner product is taken from the output, as FlashAttention does (Dao et al. 2022, appendix
    B), and subtracted inside the matrix product: half the passes over the large matrices.
    """
    inner = tf.reduce_sum(upstream * mixed, axis=2, keepdims=True)
    of_scores = shares * tf.matmul(
        tf.concat([upstream, -inner], 2), tf.concat([value, tf.ones_like(inner)], 2), transpose_a=True
    )
    of_query = tf.matmul(key, of_scores, transpose_b=True)
    return of_query, tf.matmul(query, of_scores), tf.matmul(upstream, shares)


def _each(tokens: tf.Tensor, kernel: tf.Tensor | Matrix, bias: tf.Tensor | None = None) -> tf.Tensor:
    """A linear layer applied to each token: `(batch, width, tokens)` to `(batch, outputs, tokens)`."""
    if isinstance(kernel, Matrix):
        made = _each_row(tokens, kernel)
    else:
        made = tf.matmul(kernel[tf.newaxis], tokens, transpose_a=True)
    return made if bias is None else add_bias(made, bias[:, tf.newaxis])


def _each_row(tokens: tf.Tensor, kernel: Matrix) -> tf.Tensor:
    shape = tf.shape(tokens)
    made = product(tf.reshape(tf.transpose(tokens, [0, 2, 1]), [-1, shape[1]]), kernel)
    return tf.transpose(tf.reshape(made, [shape[0], shape[2], tf.shape(made)[1]]), [0, 2, 1])
