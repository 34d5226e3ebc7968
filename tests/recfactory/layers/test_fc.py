import numpy as np
import pytest
from plain import filled, normal, numbers, relu

from recfactory.layers.fc import FC


@pytest.mark.parametrize("batch", [1, 4])
def test_fc(batch):
    layer, x = FC(6), numbers(batch, 5)
    kernel, *vectors = filled(layer, [x])["kernel"]
    np.testing.assert_allclose(layer(x), relu(normal(x @ kernel, *vectors)), atol=1e-5)


def test_fc_by_hand():
    layer = FC(2)
    x = np.array([[1.0, 2.0]], np.float32)
    layer.build([x.shape])
    layer.set_weights([np.eye(2), *np.array([[0.0, 1.0], [2.0, 4.0], [3.0, 0.5]])])
    # 1 and 2 + 1, normalised to -1 and 1.
    np.testing.assert_allclose(layer(x), [[1.0, 4.5]], atol=1e-4)


def test_gains_start_at_one_and_other_vectors_at_zero():
    layer = FC(3)
    layer(numbers(1, 2))
    _, bias, gain, shift = (w.tolist() for w in layer.get_weights())
    assert (bias, gain, shift) == ([0.0] * 3, [1.0] * 3, [0.0] * 3)
