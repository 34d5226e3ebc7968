"""Batch normalisation and dropout in the fixed form of operators."""

import keras
import numpy as np
import pytest
from plain import numbers

from recfactory.layers.dot_product import DotProduct
from recfactory.layers.efc import EFC
from recfactory.layers.fc import FC
from recfactory.layers.gating import SigmoidGating
from recfactory.layers.sum import Sum

NUMBERS, OTHER, TOKENS = (5,), (3,), (8, 6)
CASES = {
    "fc": (FC, [NUMBERS], True),
    "gating": (SigmoidGating, [NUMBERS, OTHER], False),
    "sum": (Sum, [NUMBERS, OTHER], False),
    "dot_product": (DotProduct, [NUMBERS, TOKENS], False),
    "efc": (EFC, [TOKENS], True),
}
every = pytest.mark.parametrize(("cls", "shapes", "relu"), CASES.values(), ids=CASES.keys())


def built(cls, shapes, batch=64, **options):
    keras.utils.set_random_seed(0)
    inputs = [numbers(batch, *shape, seed=i) for i, shape in enumerate(shapes)]
    layer = cls(4, **options)
    layer(inputs)
    return layer, inputs


@every
def test_batches_are_normalised_per_number_and_then_activated(cls, shapes, relu):
    layer, inputs = built(cls, shapes, batch_norm=True)
    product = np.asarray(layer.product(*layer.arguments(inputs)), np.float64)
    outer = tuple(range(product.ndim - 1))
    expected = (product - product.mean(outer)) / np.sqrt(product.var(outer) + layer.norm.epsilon)
    made = layer(inputs, training=True)
    np.testing.assert_allclose(made, np.maximum(expected, 0) if relu else expected, atol=1e-4)


@every
def test_predictions_use_running_statistics(cls, shapes, relu):
    layer, inputs = built(cls, shapes, batch_norm=True)
    alone = [x[:1] for x in inputs]
    np.testing.assert_allclose(layer(inputs)[:1], layer(alone), atol=1e-5)
    before = layer(alone)
    for _ in range(3):
        layer(inputs, training=True)
    assert not np.allclose(layer(alone), before, atol=1e-3)


@every
def test_batch_normalisation_takes_the_place_of_all_three_vectors(cls, shapes, relu):
    layered, batched = built(cls, shapes)[0], built(cls, shapes, batch_norm=True)[0]
    assert len(layered.named["kernel"]) == 4
    assert len(batched.named["kernel"]) == 1
    trainable = [sum(np.size(w) for w in layer.trainable_weights) for layer in (layered, batched)]
    assert trainable[0] - trainable[1] == layered.dim


@every
def test_dropout_is_of_the_output_in_training_alone(cls, shapes, relu):
    plain, inputs = built(cls, shapes)
    layer, _ = built(cls, shapes, dropout=0.5)
    for ours, theirs in zip(layer.trainable_weights, plain.trainable_weights, strict=True):
        ours.assign(theirs)
    np.testing.assert_array_equal(layer(inputs), plain(inputs))
    made, whole = np.asarray(layer(inputs, training=True)), np.asarray(plain(inputs))
    kept = made != 0
    np.testing.assert_allclose(made[kept], 2 * whole[kept], rtol=1e-5)
    assert 0.4 < 1 - kept[whole != 0].mean() < 0.6


@every
def test_saves_and_loads_with_statistics(cls, shapes, relu, tmp_path):
    symbols = [keras.Input(shape) for shape in shapes]
    model = keras.Model(symbols, cls(4, batch_norm=True, dropout=0.2)(symbols))
    inputs = [numbers(16, *shape, seed=i) for i, shape in enumerate(shapes)]
    model(inputs, training=True)
    model.save(tmp_path / "m.keras")
    np.testing.assert_array_equal(keras.models.load_model(tmp_path / "m.keras")(inputs), model(inputs))
