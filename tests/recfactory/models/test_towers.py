"""Golden values of the towers' own parts."""

import itertools

import numpy as np
import tensorflow as tf

from recfactory.models.deepfm import DeepFmTower, pairwise_products
from recfactory.models.perceptron import Perceptron, side_by_side


def test_pairwise_products_equal_the_pairs() -> None:
    vectors = np.random.default_rng(0).normal(size=(4, 5, 3)).astype(np.float32)
    pairs = sum(np.sum(vectors[:, i] * vectors[:, j], axis=1) for i, j in itertools.combinations(range(5), 2))
    np.testing.assert_allclose(pairwise_products(tf.constant(vectors))[:, 0], pairs, rtol=1e-4, atol=1e-5)


def test_deepfm_adds_the_first_order_weight_of_a_value_once() -> None:
    tower = DeepFmTower([4])
    fields = np.random.default_rng(0).normal(size=(2, 3, 5)).astype(np.float32)
    numbers = np.zeros((2, 0), np.float32)
    before = tower([numbers, fields])
    fields[0, 1, -1] += 0.25
    np.testing.assert_allclose(tower([numbers, fields]) - before, [[0.25], [0.0]], atol=1e-6)


def test_dropout_works_in_training_only() -> None:
    layers = Perceptron([50], dropout=0.5)
    inputs = np.ones((1, 3), np.float32)
    calm = layers(inputs).numpy()
    np.testing.assert_array_equal(layers(inputs).numpy(), calm)
    assert np.any(layers(inputs, training=True).numpy() != calm)


def test_batch_norm_works_on_the_batch_in_training_and_on_running_values_after() -> None:
    layers = Perceptron([4], batch_norm=True)
    inputs = np.random.default_rng(0).normal(5.0, 3.0, size=(64, 3)).astype(np.float32)
    normal = layers(inputs, training=True).numpy()
    hidden = inputs @ layers.hidden[0].kernel.numpy()
    expected = (hidden - hidden.mean(axis=0)) / np.sqrt(hidden.var(axis=0) + 1e-3)
    np.testing.assert_allclose(normal, np.maximum(expected, 0.0), atol=1e-3)
    for _ in range(100):
        layers(inputs, training=True)
    np.testing.assert_allclose(layers(inputs).numpy(), normal, atol=2e-2)


def test_side_by_side() -> None:
    joined = side_by_side(tf.constant([[1.0]]), tf.constant([[[2.0, 3.0], [4.0, 5.0]]]))
    assert joined.numpy().tolist() == [[1.0, 2.0, 3.0, 4.0, 5.0]]
