import numpy as np
import pytest
from plain import filled, normal, numbers

from recfactory.layers.sum import Sum


@pytest.mark.parametrize(("left", "right"), [(5, 5), (3, 5), (5, 3), (4, 9), (9, 4), (9, 9), (2, 3)])
def test_sum(left, right):
    layer, a, b = Sum(5), numbers(4, left), numbers(4, right, seed=1)
    kernel, *vectors = filled(layer, [a, b])["kernel"]
    width = max(left, right)
    total = np.pad(a, [(0, 0), (0, width - left)]) + np.pad(b, [(0, 0), (0, width - right)])
    if width != 5:
        assert kernel.shape == (width, 5)
        total = total @ kernel
    np.testing.assert_allclose(layer([a, b]), normal(total, *vectors), atol=1e-5)


def test_no_matrix_where_the_width_is_that_of_the_output():
    layer = Sum(5)
    layer([numbers(2, 5), numbers(2, 4)])
    assert [w.shape for w in layer.get_weights()] == [(5,)] * 3
