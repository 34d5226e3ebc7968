"""The sparse operator Attention."""

from collections.abc import Callable
from math import gcd

import keras
import tensorflow as tf

from recfactory.layers.normalise import normalise
from recfactory.layers.operator import OperatorLayer, Weights
from recfactory.layers.token_linear import token_linear

HEADS = 8


@keras.saving.register_keras_serializable(package="recfactory")
class Attention(OperatorLayer):
    """A linear layer over tokens, then one encoder layer of self-attention with 8 heads (NASRec, table 1).

    Both residuals are normalised over the embedding, with gains that start at 0.17; the feed-forward layer is as
    wide as the embedding.
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
        out, *vectors = weights["out"]
        tokens = _normalise(tokens + _each(attend(query, key, value), out), *vectors)
        contract, *vectors = weights["contract"]
        inner = tf.nn.relu(_each(tokens, *weights["expand"]))
        return _normalise(tokens + _each(inner, contract), *vectors)


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

    The gradient takes the softmax's inner product from the output, as FlashAttention does (Dao et al. 2022, appendix
    B), and subtracts it inside the matrix product: half the passes over the large matrices.
    """
    shares = tf.nn.softmax(tf.matmul(query, key, transpose_a=True))
    mixed = tf.matmul(value, shares, transpose_b=True)

    def gradient(upstream: tf.Tensor) -> tuple[tf.Tensor, ...]:
        inner = tf.reduce_sum(upstream * mixed, axis=2, keepdims=True)
        of_scores = shares * tf.matmul(
            tf.concat([upstream, -inner], 2), tf.concat([value, tf.ones_like(inner)], 2), transpose_a=True
        )
        of_query = tf.matmul(key, of_scores, transpose_b=True)
        return of_query, tf.matmul(query, of_scores), tf.matmul(upstream, shares)

    return mixed, gradient


def _each(tokens: tf.Tensor, kernel: tf.Tensor, bias: tf.Tensor | None = None) -> tf.Tensor:
    """A linear layer applied to each token: `(batch, width, tokens)` to `(batch, outputs, tokens)`."""
    made = tf.matmul(kernel[tf.newaxis], tokens, transpose_a=True)
    return made if bias is None else made + bias[:, tf.newaxis]


def _normalise(tokens: tf.Tensor, *vectors: tf.Tensor) -> tf.Tensor:
    """Normalises each token over the embedding."""
    return tf.transpose(normalise(tf.transpose(tokens, [0, 2, 1]), *vectors), [0, 2, 1])
