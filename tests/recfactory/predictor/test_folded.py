import keras
import numpy as np
import pytest
from synthetic_losses import PATHS, SPACE, synthetic

from recfactory.errors import UserError
from recfactory.predictor.folded import Folded
from recfactory.predictor.kinds import kinds_of
from recfactory.predictor.network import Network, SymbolLinear
from recfactory.predictor.symbols import one_hot

GENES = synthetic(300, 0)[0]


def test_genes_as_ones():
    ones = one_hot([2, 3], np.array([[1, 2], [0, 0]])).toarray()
    np.testing.assert_array_equal(ones, [[0, 1, 0, 0, 1], [1, 0, 1, 0, 0]])


@pytest.mark.parametrize("genes", [[[1, 3]], [[-1, 0]], [[0]], [0, 0]])
def test_genes_of_another_space_are_refused(genes):
    with pytest.raises(UserError, match="predictor: genes"):
        one_hot([2, 3], np.array(genes))


def test_a_symbol_linear_layer_is_embeddings_then_a_linear_layer():
    layer = SymbolLinear(PATHS.symbols, 5, 7, np.random.default_rng(0))
    made = layer(one_hot(PATHS.symbols, GENES).toarray())
    embedded = [
        keras.layers.Embedding(count, 5, weights=[table[:count]])(GENES[:, at])
        for at, (count, table) in enumerate(zip(PATHS.symbols, layer.table.numpy(), strict=True))
    ]
    linear = keras.layers.Dense(7)
    linear.build((None, 5 * len(PATHS.symbols)))
    linear.set_weights([np.reshape(layer.kernel, (-1, 7)), layer.bias.numpy()])
    np.testing.assert_allclose(made, linear(keras.ops.concatenate(embedded, axis=1)), atol=1e-5)


@pytest.mark.parametrize("encoding", ["plain", "pids"])
@pytest.mark.parametrize("widths", [(9,), (8, 5)])
@pytest.mark.parametrize("rows", [0, 1, 300])
def test_the_folded_form_is_the_network(encoding, widths, rows):
    rng = np.random.default_rng(1)
    network = Network(PATHS.symbols, 4, widths, rng, kinds_of(SPACE) if encoding == "pids" else ())
    network.set_weights([weight + 0.1 * rng.normal(size=weight.shape) for weight in network.get_weights()])
    expected = network(one_hot(PATHS.symbols, GENES[:rows]).toarray())
    found = Folded(PATHS.symbols, network).predict(GENES[:rows])
    assert found.shape == (rows,)
    np.testing.assert_allclose(found, expected, rtol=1e-4, atol=1e-5)
