"""What all operators promise as Keras layers."""

import keras
import numpy as np
import pytest
from plain import filled, numbers

from recfactory.layers.attention import Attention
from recfactory.layers.dense_to_sparse import DenseToSparse
from recfactory.layers.dot_product import DotProduct
from recfactory.layers.efc import EFC
from recfactory.layers.fc import FC
from recfactory.layers.fm import FM
from recfactory.layers.gating import SigmoidGating
from recfactory.layers.head import Head
from recfactory.layers.sum import Sum

NUMBERS, OTHER, TOKENS = (5,), (3,), (8, 6)
CASES = {
    "fc": (FC, 4, [NUMBERS], (4,)),
    "gating": (SigmoidGating, 4, [NUMBERS, OTHER], (4,)),
    "sum": (Sum, 4, [NUMBERS, OTHER], (4,)),
    "sum without matrix": (Sum, 5, [NUMBERS, OTHER], (5,)),
    "dot_product": (DotProduct, 8, [NUMBERS, TOKENS], (8,)),
    "efc": (EFC, 4, [TOKENS], (8, 4)),
    "attention": (Attention, 4, [TOKENS], (8, 4)),
    "dense_to_sparse": (DenseToSparse, 2, [NUMBERS, TOKENS], (8, 8)),
    "fm": (FM, 5, [NUMBERS, TOKENS], (5,)),
    "head": (Head, 1, [NUMBERS, TOKENS], (1,)),
}
every = pytest.mark.parametrize(("cls", "dim", "shapes", "output"), CASES.values(), ids=CASES.keys())


def arrays(shapes, batch=3):
    return [numbers(batch, *shape, seed=i) for i, shape in enumerate(shapes)]


@every
def test_shapes(cls, dim, shapes, output):
    layer, inputs = cls(dim), arrays(shapes)
    assert tuple(layer(inputs).shape) == (3, *output)
    assert layer.compute_output_shape([x.shape for x in inputs]) == (3, *output)
    assert layer.compute_output_shape([(None, *shape) for shape in shapes]) == (None, *output)


@every
def test_weights_are_those_of_its_operations(cls, dim, shapes, output):
    layer = cls(dim)
    layer(arrays(shapes))
    made = layer.operations([(None, *shape) for shape in shapes])
    assert layer.count_params() == sum(operation.params for operation in made)
    assert len({variable.name for variable in layer.weights}) == len(layer.weights)


@every
def test_config_round_trip(cls, dim, shapes, output):
    layer = cls(dim, name="named")
    again = keras.saving.deserialize_keras_object(keras.saving.serialize_keras_object(layer))
    assert type(again) is cls
    assert (again.dim, again.name) == (dim, "named")
    assert again.get_config() == layer.get_config()


@every
def test_saves_and_loads_inside_a_functional_model(cls, dim, shapes, output, tmp_path):
    symbols = [keras.Input(shape) for shape in shapes]
    layer = cls(dim, name="operator")
    model = keras.Model(symbols, layer(symbols))
    assert model.output_shape == (None, *output)
    filled(layer, arrays(shapes))
    model.save(tmp_path / "m.keras")
    again = keras.models.load_model(tmp_path / "m.keras")
    for count in (3, 1):
        inputs = arrays(shapes, count)
        np.testing.assert_array_equal(again(inputs), model(inputs))
        np.testing.assert_allclose(layer(inputs), model(inputs), atol=1e-6)
    for ours, theirs in zip(model.get_weights(), again.get_weights(), strict=True):
        np.testing.assert_array_equal(ours, theirs)
