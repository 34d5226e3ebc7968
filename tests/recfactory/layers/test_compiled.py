import numpy as np
import pytest
import tensorflow as tf
from plain import numbers

from recfactory.layers.compiled import Compiled


def network(sizes, kernel, x, unread):
    """Reads only a part of the matrix, given as a size, and not at all its last input."""
    hidden = tf.nn.relu(tf.matmul(x, kernel[:, : sizes[0]]))
    return hidden * tf.reduce_sum(x, 1, keepdims=True) + tf.square(hidden)


@pytest.fixture(scope="module")
def compiled():
    return Compiled(network, [(None, None), (None, 4), (None, 2)])


@pytest.mark.parametrize(("size", "batch"), [(3, 2), (5, 7), (1, 1)])
def test_value_and_gradients_are_those_of_a_tape(compiled, size, batch):
    inputs = [tf.constant(numbers(*shape, seed=i)) for i, shape in enumerate([(4, 5), (batch, 4), (3, 2)])]
    sizes, upstream = tf.constant([size]), tf.constant(numbers(batch, size, seed=5))
    value, saved = compiled.forward([sizes, *inputs])
    gradients = compiled.backward(saved, [sizes, *inputs], upstream)
    with tf.GradientTape() as tape:
        tape.watch(inputs)
        expected = network(sizes, *inputs)
    np.testing.assert_allclose(value, expected, atol=1e-6)
    wanted = tape.gradient(expected, inputs, upstream, unconnected_gradients="zero")
    for ours, theirs in zip(gradients, wanted, strict=True):
        np.testing.assert_allclose(ours, theirs, atol=1e-5)
    np.testing.assert_array_equal(gradients[2], np.zeros((3, 2)))


def test_the_value_may_be_an_input(compiled):
    same = Compiled(lambda sizes, x: x, [(None, 3)])
    x, upstream = tf.constant(numbers(2, 3)), tf.constant(numbers(2, 3, seed=1))
    value, saved = same.forward([tf.constant([0]), x])
    (gradient,) = same.backward(saved, [tf.constant([0]), x], upstream)
    np.testing.assert_array_equal(value, x)
    np.testing.assert_array_equal(gradient, upstream)
