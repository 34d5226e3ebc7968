from itertools import combinations

import numpy as np
from plain import filled, numbers

from recfactory.layers.fm import FM


def test_fm_adds_all_pairs_of_tokens_by_their_number():
    layer, x, tokens = FM(5), numbers(2, 5), numbers(2, 4, 6, seed=1)
    kernel, bias = filled(layer, [x, tokens])["kernel"]
    # (sum x)^2 - sum x^2 counts each pair twice (Rendle 2010, lemma 3.1).
    pairs = 2 * sum(tokens[:, :, i] * tokens[:, :, j] for i, j in combinations(range(6), 2))
    np.testing.assert_allclose(layer([x, tokens]), x + pairs / 6 @ kernel + bias, atol=2e-5)
