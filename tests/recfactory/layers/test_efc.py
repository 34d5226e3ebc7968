import numpy as np
from plain import filled, normal, numbers, relu

from recfactory.layers.efc import EFC


def test_efc():
    """Each coordinate of the embedding on its own: a linear layer over tokens, normalised over tokens."""
    layer, tokens = EFC(6), numbers(3, 4, 7)
    kernel, *vectors = filled(layer, [tokens])["kernel"]
    expected = np.stack(
        [relu(normal(tokens[:, coordinate] @ kernel, *vectors)) for coordinate in range(4)], 1
    )
    np.testing.assert_allclose(layer(tokens), expected, atol=1e-5)
