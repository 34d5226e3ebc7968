import numpy as np
import tensorflow as tf
from plain import numbers

from recfactory.layers.token_linear import token_linear


def test_token_linear():
    tokens, kernel = tf.constant(numbers(3, 4, 5)), tf.constant(numbers(5, 2, seed=1))
    np.testing.assert_allclose(token_linear(tokens, kernel), np.asarray(tokens) @ kernel, atol=1e-5)


def test_shapes_that_are_known_stay_known():
    traced = tf.function(token_linear).get_concrete_function(
        tf.TensorSpec([None, 4, None]), tf.TensorSpec([None, 2])
    )
    assert traced.output_shapes.as_list() == [None, 4, 2]
