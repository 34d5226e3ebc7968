import numpy as np
import pytest
import tensorflow as tf
from plain import filled, normal, numbers, relu

from recfactory.layers.attention import CHUNKS, Attention, attend
from recfactory.space.operators import HEADS


def one_row(tokens, weights, heads):
    """The encoder layer of one example, token by token and head by head; tokens are rows here."""
    kernel, bias = weights["kernel"]
    x = (tokens @ kernel + bias).T
    width = x.shape[1]
    matrix, bias = weights["qkv"]
    query, key, value = np.split(x @ matrix + bias, 3, axis=1)
    size = width // heads
    mixed = np.empty_like(x)
    for head in range(heads):
        place = slice(head * size, (head + 1) * size)
        scores = query[:, place] @ key[:, place].T / np.sqrt(size)
        shares = np.exp(scores) / np.exp(scores).sum(1, keepdims=True)
        mixed[:, place] = shares @ value[:, place]
    matrix, *vectors = weights["out"]
    x = normal(x + mixed @ matrix, *vectors)
    matrix, bias = weights["expand"]
    inner = relu(x @ matrix + bias)
    matrix, *vectors = weights["contract"]
    return normal(x + inner @ matrix, *vectors).T


# 4 is no multiple of 8 heads: it has as many as divide both.
@pytest.mark.parametrize(("embedding_dim", "heads"), [(4, 4), (8, 8), (12, 4), (16, 8)])
@pytest.mark.parametrize("batch", [1, 3, 5, 9, 16])
def test_attention(embedding_dim, heads, batch):
    assert (HEADS, CHUNKS) == (8, 8)
    layer, tokens = Attention(6), numbers(batch, embedding_dim, 5)
    weights = filled(layer, [tokens])
    expected = np.stack([one_row(row, weights, heads) for row in tokens.astype(np.float64)])
    np.testing.assert_allclose(layer(tokens), expected, atol=2e-5)


def test_gains_start_small():
    layer = Attention(3)
    layer(numbers(1, 8, 2))
    gains = [variables[2] for name, variables in layer.named.items() if name in ("out", "contract")]
    assert len(gains) == 2
    for gain in gains:
        np.testing.assert_allclose(gain, np.full(8, 0.17), rtol=1e-6)


def plain_attend(query, key, value, heads):
    batch, width, tokens = query.shape
    query, key, value = (tf.reshape(x, [batch, heads, width // heads, tokens]) for x in (query, key, value))
    scores = tf.einsum("bhdq,bhdk->bhqk", query, key) / np.sqrt(width // heads)
    return tf.reshape(tf.einsum("bhqk,bhdk->bhdq", tf.nn.softmax(scores), value), [batch, width, tokens])


@pytest.mark.parametrize("batch", [1, 3, 5, 11])
@pytest.mark.parametrize("tokens", [1, 4])
def test_the_gradient_of_attend(batch, tokens):
    inputs = [tf.constant(numbers(batch, 16, tokens, seed=seed)) for seed in range(3)]
    upstream = tf.constant(numbers(batch, 16, tokens, seed=3))
    made, gradients = [], []
    for function in (attend, lambda *x: plain_attend(*x, heads=8)):
        with tf.GradientTape() as tape:
            tape.watch(inputs)
            made.append(function(*inputs))
        gradients.append(tape.gradient(made[-1], inputs, upstream))
    np.testing.assert_allclose(*made, atol=1e-5)
    for ours, theirs in zip(*gradients, strict=True):
        np.testing.assert_allclose(ours, theirs, atol=2e-5)
