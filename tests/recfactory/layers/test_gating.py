import numpy as np
import pytest
from plain import filled, normal, numbers, sigmoid

from recfactory.layers.gating import SigmoidGating


@pytest.mark.parametrize(("left", "right"), [(5, 5), (3, 7), (7, 3)])
def test_gating_is_that_of_zero_padded_sides(left, right):
    """NASRec's form: a gate per left number, the narrower of gates and right side padded with zeros."""
    layer, a, b = SigmoidGating(6), numbers(4, left), numbers(4, right, seed=1)
    weights = filled(layer, [a, b])
    (gate,), (_, offset) = weights["gate"], weights["offset"]
    kernel, *vectors = weights["kernel"]
    width, overlap = max(left, right), min(left, right)
    all_gates, all_offsets, all_kernels = np.zeros((width, left)), np.zeros(width), np.zeros((width, 6))
    all_gates[:overlap], all_offsets[:overlap], all_kernels[:overlap] = gate, offset, kernel
    gates = sigmoid(a @ all_gates.T + all_offsets)
    gates[:, left:] = 0.0
    padded = np.pad(b, [(0, 0), (0, width - right)])
    expected = normal((gates * padded) @ all_kernels, *vectors)
    np.testing.assert_allclose(layer([a, b]), expected, atol=1e-5)


@pytest.mark.parametrize(("left", "right"), [(3, 7), (7, 3)])
def test_a_gate_for_each_number_that_both_sides_have(left, right):
    layer = SigmoidGating(6)
    layer([numbers(2, left), numbers(2, right)])
    shapes = [w.shape for w in layer.get_weights()]
    assert shapes == [(3, left), (3,), (3, 6), (6,), (6,), (6,)]
