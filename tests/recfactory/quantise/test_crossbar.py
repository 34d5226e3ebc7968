"""What crossbars make of products, against plain NumPy."""

import numpy as np
import plain_crossbar
import pytest
import tensorflow as tf
from hypothesis import given, settings
from hypothesis import strategies as st

from hw.adc import lossless_bits
from recfactory.quantise.crossbar import is_exact, largest_sum, product_error
from recfactory.quantise.precision import Bits, Crossbar


@st.composite
def products(draw):
    """Codes of inputs and weights, and their bits."""
    bits = draw(st.integers(1, 9)), draw(st.integers(1, 9))
    n, rows, outputs = draw(st.integers(1, 4)), draw(st.integers(1, 40)), draw(st.integers(1, 5))
    rng = np.random.default_rng(draw(st.integers(0, 99)))
    share = draw(st.sampled_from([0.3, 1.0]))
    weights = rng.integers(int((1 - share) * 2 ** bits[0]), 2 ** bits[0], (rows, outputs))
    return rng.integers(0, 2 ** bits[1], (n, rows)), weights, bits


def crossbars(adc):
    return st.builds(Crossbar, st.integers(1, 33), st.integers(1, 4), st.integers(1, 3), adc)


def error(inputs, weights, crossbar, bits, seed=0, signed=False):
    values = tf.constant(inputs, tf.float32), tf.constant(weights, tf.float32)
    return product_error(*values, crossbar, Bits(*bits), seed, signed).numpy()


@settings(max_examples=30)
@given(products(), crossbars(st.integers(1, 10)))
def test_clipping_is_that_of_each_column_alone(case, crossbar):
    inputs, weights, bits = case
    expected = plain_crossbar.multiply(inputs, weights, crossbar, *bits) - inputs @ weights
    np.testing.assert_array_equal(error(inputs, weights, crossbar, bits), expected)


@settings(max_examples=15)
@given(products(), st.integers(2, 33), st.integers(1, 6))
def test_signed_inputs_are_in_twos_complement(case, rows, adc):
    codes, weights, bits = case
    crossbar, bits = Crossbar(rows, 2, 1, adc), (bits[0], max(bits[1], 2))
    inputs = codes - 2 ** (bits[1] - 1)
    expected = plain_crossbar.multiply(inputs, weights, crossbar, *bits, signed=True) - inputs @ weights
    np.testing.assert_array_equal(error(codes, weights, crossbar, bits, signed=True), expected)


@settings(max_examples=15)
@given(products(), st.integers(2, 33), st.integers(2, 3), st.integers(1, 9))
def test_what_is_read_for_zero_is_subtracted_where_inputs_are_offset(case, rows, dac, adc):
    codes, weights, bits = case
    crossbar, zeros = Crossbar(rows, 2, dac, adc), np.full((1, codes.shape[1]), 2 ** (bits[1] - 1))
    read, at_zero = (plain_crossbar.multiply(given, weights, crossbar, *bits) for given in (codes, zeros))
    expected = read - at_zero - (codes - zeros) @ weights
    np.testing.assert_array_equal(error(codes, weights, crossbar, bits, signed=True), expected)


@pytest.mark.parametrize("dac", [1, 2])
def test_signed_zeros_cost_nothing(dac):
    """Though, offset, each of them drives the columns of the highest bit."""
    weights = np.random.default_rng(0).integers(0, 255, (128, 9))
    crossbar, zeros = Crossbar(128, 2, dac, 4, noise=0.02), np.full((1, 128), 128)
    assert not error(zeros, weights, crossbar, (8, 8), signed=True).any()
    assert error(zeros, weights, crossbar, (8, 8)).all()


@pytest.mark.parametrize("dac", [1, 2])
def test_noise_of_small_signed_inputs_is_small(dac):
    rng = np.random.default_rng(0)
    weights, crossbar = rng.integers(0, 255, (64, 9)), Crossbar(64, 2, dac, 10, noise=0.02)
    few = np.full((1, 64), 128) + (np.arange(64) < 2)
    many = rng.integers(0, 256, (50, 64))
    off = [np.abs(error(codes, weights, crossbar, (8, 8), signed=True)).mean() for codes in (few, many)]
    assert off[0] < 0.1 * off[1]


@settings(max_examples=20)
@given(products(), crossbars(st.none()))
def test_enough_bits_lose_nothing(case, crossbar):
    inputs, weights, bits = case
    enough = lossless_bits(crossbar.rows, crossbar.cell_bits, crossbar.dac_bits)
    crossbar = Crossbar(crossbar.rows, crossbar.cell_bits, crossbar.dac_bits, enough)
    assert is_exact(crossbar)
    assert not error(inputs, weights, crossbar, bits).any()
    np.testing.assert_array_equal(plain_crossbar.multiply(inputs, weights, crossbar, *bits), inputs @ weights)


@pytest.mark.parametrize("adc", [3, 8])
def test_noise_is_that_of_each_cell(adc):
    crossbar, bits, rng = Crossbar(16, 2, 1, adc, noise=0.05), (5, 4), np.random.default_rng(1)
    inputs, weights = rng.integers(0, 16, (20, 37)), rng.integers(0, 32, (37, 6))
    noise = 0.05 * tf.random.stateless_normal([37, 3, 6], [7, 0]).numpy().astype(np.float64)
    expected = plain_crossbar.multiply(inputs, weights, crossbar, *bits, noise) - inputs @ weights
    found = error(inputs, weights, crossbar, bits, seed=7)
    np.testing.assert_allclose(found, expected, atol=0.01)
    np.testing.assert_array_equal(found, error(inputs, weights, crossbar, bits, seed=7))
    assert np.any(found != error(inputs, weights, crossbar, bits, seed=8))


def test_the_adc_of_isaac_is_exact_and_one_bit_less_is_not():
    assert largest_sum(Crossbar(128, 2, 1, 8)) == 192
    assert is_exact(Crossbar(128, 2, 1, 8))
    assert not is_exact(Crossbar(128, 2, 1, 7))
    assert not is_exact(Crossbar(128, 2, 1, 8, noise=0.01))


def test_a_column_of_large_weights_is_clipped_by_hand():
    # 4 cells of 3: flipped to 0, so that nothing is clipped; of 1 (kept): 4 is read as 3.
    crossbar, ones = Crossbar(4, 2, 1, 2), np.ones((1, 4), int)
    assert error(ones, np.full((4, 1), 3), crossbar, (2, 1)) == 0
    assert error(ones, np.full((4, 1), 1), crossbar, (2, 1)) == -1
    assert error(ones, np.full((4, 1), 2), crossbar, (2, 1)) == 1
