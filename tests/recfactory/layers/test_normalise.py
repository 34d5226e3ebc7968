import numpy as np
import pytest
import tensorflow as tf
from plain import normal, numbers

from recfactory.layers.normalise import EPSILON, add_bias, normalise

SHAPES = [((4, 6), -1), ((3, 5, 6), -1), ((3, 6, 5), 1), ((1, 6), -1), ((1, 6, 1), 1)]


def values(shape, axis):
    return [tf.constant(numbers(*shape)), *(tf.constant(numbers(shape[axis], seed=i)) for i in (1, 2, 3))]


def plain(x, bias, gain, shift, axis):
    if axis == 1:
        return tf.transpose(plain(tf.transpose(x, [0, 2, 1]), bias, gain, shift, -1), [0, 2, 1])
    mean, variance = tf.nn.moments(x + bias, [-1], keepdims=True)
    return tf.nn.batch_normalization(x + bias, mean, variance, shift, gain, EPSILON)


@pytest.mark.parametrize(("shape", "axis"), SHAPES)
def test_values(shape, axis):
    x, *vectors = values(shape, axis)
    turned = np.moveaxis(np.asarray(x, np.float64), axis, -1)
    expected = np.moveaxis(normal(turned, *map(np.asarray, vectors)), -1, axis)
    np.testing.assert_allclose(normalise(x, *vectors, axis=axis), expected, atol=1e-5)


@pytest.mark.parametrize(("shape", "axis"), SHAPES)
def test_gradients(shape, axis):
    inputs, upstream = values(shape, axis), tf.constant(numbers(*shape, seed=9))
    gradients = []
    for function in (normalise, plain):
        with tf.GradientTape() as tape:
            tape.watch(inputs)
            made = function(*inputs, axis=axis)
        gradients.append(tape.gradient(made, inputs, upstream))
    for ours, theirs in zip(*gradients, strict=True):
        assert ours.shape == theirs.shape
        np.testing.assert_allclose(ours, theirs, atol=2e-5)


def test_add_bias():
    tokens, bias, upstream = numbers(3, 4, 5), numbers(4, 1, seed=1), numbers(3, 4, 5, seed=2)
    inputs = [tf.constant(tokens), tf.constant(bias)]
    with tf.GradientTape() as tape:
        tape.watch(inputs)
        made = add_bias(*inputs)
    of_tokens, of_bias = tape.gradient(made, inputs, tf.constant(upstream))
    np.testing.assert_array_equal(made, tokens + bias)
    np.testing.assert_array_equal(of_tokens, upstream)
    np.testing.assert_allclose(of_bias, upstream.sum((0, 2))[:, None], atol=1e-5)
