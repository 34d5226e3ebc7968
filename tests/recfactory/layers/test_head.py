import numpy as np
from plain import filled, numbers

from recfactory.layers.head import Head, penultimate


def test_head():
    layer, x, tokens = Head(), numbers(3, 5), numbers(3, 4, 2, seed=1)
    kernel, bias = filled(layer, [x, tokens])["kernel"]
    flat = np.concatenate([x, tokens.reshape(3, 8)], 1)
    np.testing.assert_allclose(layer([x, tokens]), flat @ kernel + bias, atol=1e-5)
    np.testing.assert_array_equal(penultimate(x, tokens), flat)
