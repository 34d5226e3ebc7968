import numpy as np
import pytest
import tensorflow as tf
from plain import filled, normal, numbers

from recfactory.layers.dot_product import DotProduct, pack
from recfactory.space.axes import below_diagonal


@pytest.mark.parametrize(
    ("dim", "reduced"),
    [(1, 1), (2, 2), (4, 3), (8, 4), (12, 5), (16, 6)],
)
def test_dot_product(dim, reduced):
    """The pairs by a loop, each with the weights at its place."""
    layer, x, tokens = DotProduct(dim), numbers(3, 5), numbers(3, 4, 7, seed=1)
    weights = filled(layer, [x, tokens])
    (project, project_bias), (reduce, reduce_bias) = weights["project"], weights["reduce"]
    kernel, *vectors = weights["kernel"]
    assert reduce.shape == (7, reduced)
    all_tokens = np.concatenate([tokens @ reduce + reduce_bias, (x @ project + project_bias)[:, :, None]], 2)
    place_of = {place: k for k, place in enumerate(below_diagonal(reduced + 1, reduced + 1).places)}
    made, place = np.zeros((3, dim)), 0
    for i in range(reduced + 1):
        for j in range(i):
            product = (all_tokens[:, :, i] * all_tokens[:, :, j]).sum(1)
            made += product[:, None] * kernel[place_of[place]]
            place += 1
    assert place == len(kernel)
    np.testing.assert_allclose(layer([x, tokens]), normal(made, *vectors), atol=2e-5)


@pytest.mark.parametrize("tokens", range(2, 12))
def test_pack_is_the_strict_lower_triangle(tokens):
    products = numbers(2, tokens, tokens)
    rows, columns = np.tril_indices(tokens, -1)
    expected = products[:, rows, columns][:, below_diagonal(tokens, tokens).places]
    np.testing.assert_array_equal(pack(tf.constant(products)), expected)


@pytest.mark.parametrize("tokens", [4, 7])
def test_the_gradient_of_pack_goes_to_the_triangle(tokens):
    products, upstream = tf.constant(numbers(2, tokens, tokens)), numbers(2, tokens * (tokens - 1) // 2)
    with tf.GradientTape() as tape:
        tape.watch(products)
        packed = pack(products)
    expected = np.zeros((2, tokens, tokens))
    rows, columns = (of[below_diagonal(tokens, tokens).places] for of in np.tril_indices(tokens, -1))
    expected[:, rows, columns] = upstream
    np.testing.assert_array_equal(tape.gradient(packed, products, tf.constant(upstream)), expected)
