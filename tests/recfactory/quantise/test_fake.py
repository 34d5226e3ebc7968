"""Rounding with straight-through gradients."""

import numpy as np
import pytest
import tensorflow as tf

from recfactory.quantise import fake
from recfactory.quantise.grid import best_range, rounded


def normal(*shape, seed=0):
    return np.random.default_rng(seed).normal(size=shape).astype(np.float32)


def gradient(function, x):
    x = tf.constant(x)
    with tf.GradientTape() as tape:
        tape.watch(x)
        made = tf.reduce_sum(function(x))
    return tape.gradient(made, x).numpy()


@pytest.mark.parametrize("bits", [1, 2, 4, 8, 16])
def test_weights_have_a_grid_per_output(bits):
    x = normal(30, 4) * [0.01, 1, 5, 100]
    found = fake.weights(tf.constant(x, tf.float32), bits).numpy()
    codes = fake.codes_of(tf.constant(x, tf.float32), bits)
    assert codes.codes.numpy().min() >= 0
    assert codes.codes.numpy().max() <= 2**bits - 1
    np.testing.assert_allclose(codes.values, found, rtol=1e-5)
    if bits == 1:
        np.testing.assert_allclose(found, np.sign(x) * np.abs(x).mean(0), rtol=1e-5)
    else:
        step = np.abs(x).max(0) / (2 ** (bits - 1) - 1)
        np.testing.assert_allclose(found, np.round(x / step) * step, atol=2e-5)
    assert (gradient(lambda w: fake.weights(w, bits), x.astype(np.float32)) == 1).all()


def test_an_output_without_weights_stays_zero():
    for bits in (1, 4):
        np.testing.assert_allclose(fake.weights(tf.zeros([3, 2]), bits), 0, atol=1e-11)


@pytest.mark.parametrize("bits", [1, 2, 4, 8, 16])
@pytest.mark.parametrize("signed", [False, True])
def test_activations_are_rounded_and_clipped(bits, signed):
    x = normal(200) if signed else np.abs(normal(200))
    low, high = best_range(x, bits)
    low, high = np.float32(0.7 * low), np.float32(0.7 * high)
    found = fake.activations(tf.constant(x), low, high, bits).numpy()
    np.testing.assert_allclose(found, rounded(x, low, high, bits), atol=1e-4 * high)
    slopes = gradient(lambda v: fake.activations(v, low, high, bits), x)
    np.testing.assert_array_equal(slopes, (x >= low) & (x <= high))


def test_embeddings_have_a_grid_per_row():
    x = normal(2, 3, 4) * [[[1.0], [10.0], [0.1]]]
    found = fake.embeddings(tf.constant(x, tf.float32), 4).numpy()
    step = np.abs(x).max(-1, keepdims=True) / 7
    np.testing.assert_allclose(found, np.round(x / step) * step, atol=1e-5)
    assert fake.embeddings(x, 32) is x
