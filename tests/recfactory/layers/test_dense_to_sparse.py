import numpy as np
from plain import filled, numbers

from recfactory.layers.dense_to_sparse import DenseToSparse


def test_tokens_are_appended():
    layer, x, tokens = DenseToSparse(3), numbers(2, 5), numbers(2, 4, 6, seed=1)
    kernel, bias = filled(layer, [x, tokens])["kernel"]
    made = (x @ kernel + bias).reshape(2, 4, 3)
    expected = np.concatenate([tokens, made], 2)
    assert expected.shape == (2, 4, 9)
    np.testing.assert_allclose(layer([x, tokens]), expected, atol=1e-5)
