import keras
import numpy as np
import pytest
from plain import numbers

from recfactory.layers.stem import Stem


@pytest.mark.parametrize("raw", ["numbers", "fields", "both"])
@pytest.mark.parametrize("width", [3, 0])
def test_source_zero(raw, width):
    x, fields = numbers(2, width), numbers(2, 4, 8, seed=1)
    tokens = fields.transpose(0, 2, 1)
    flat = tokens.reshape(2, 32)
    expected = {"numbers": x, "fields": flat, "both": np.concatenate([x, flat], 1)}[raw]
    made = Stem(raw)([x, fields])
    np.testing.assert_array_equal(made[0], expected)
    np.testing.assert_array_equal(made[1], tokens)
    assert Stem(raw).compute_output_shape([x.shape, fields.shape]) == (expected.shape, tokens.shape)


def test_config_round_trip():
    again = keras.saving.deserialize_keras_object(keras.saving.serialize_keras_object(Stem("both", name="z")))
    assert (again.raw_dense, again.name) == ("both", "z")
