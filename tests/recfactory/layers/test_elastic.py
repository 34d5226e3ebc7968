"""The elastic form against the fixed form with the same weights."""

import keras
import numpy as np
import pytest
import tensorflow as tf
from plain import numbers

from recfactory.layers.elastic import Elastic, layer_class
from recfactory.space import PRESETS, Space
from recfactory.space.genes import decode
from recfactory.space.operations import Linear
from recfactory.space.operators import operator
from recfactory.space.sampling import largest, sample_uniform, smallest
from recfactory.space.wiring import all_parts, live_parts, operations

SPACE = Space(
    3,
    4,
    blocks=3,
    dense_dims=(4, 8, 12),
    sparse_dims=(2, 4),
    embedding_dim=8,
    merger_tokens=3,
    **PRESETS["full"],
)
KINDS = {"dense_to_sparse", "fm", "head", *SPACE.dense_operators, *SPACE.sparse_operators}


@pytest.fixture(scope="module")
def layers():
    keras.utils.set_random_seed(0)
    made = {part: Elastic(SPACE, part) for part in all_parts(SPACE)}
    rng = np.random.default_rng(0)
    for layer in made.values():
        for bank in layer.banks.values():
            bank.assign(rng.normal(size=bank.shape))
    return made


@pytest.fixture(scope="module")
def paths():
    rng = np.random.default_rng(1)
    return [largest(SPACE), smallest(SPACE), *decode(SPACE, sample_uniform(SPACE, 60, rng))]


def weights(layer, linear):
    """A linear operation's weights, taken from the full matrix by their places."""
    bank = layer.banks[f"{linear.name}_{linear.variant}"].numpy()
    sides = (linear.inputs, linear.outputs)
    rows, columns = sides[::-1] if linear.by_output else sides
    whole = bank.reshape(rows.full + len(linear.vectors), columns.full)
    matrix = whole[np.ix_(rows.places, columns.places)]
    return [matrix, *whole[rows.full :][:, columns.places]]


def inputs_of(path, part):
    """Random inputs of the shapes that a part of a path reads."""
    space, block = path.space, path.blocks[part.number - 1]
    made = {"dense": block.dense_dim, "sparse": block.sparse_dim}
    if part.role in ("dense_to_sparse", "fm", "head"):
        merged = part.role == "head" and block.dense_to_sparse
        tokens = made["sparse"] + space.merger_tokens * merged
        return [numbers(3, made["dense"]), numbers(3, space.embedding_dim, tokens, seed=1)]
    found = []
    for gene in operator(part.kind).reads:
        sources = getattr(block, gene)
        sources = (sources,) if isinstance(sources, int) else sources
        if gene == "sparse_sources":
            shape = (3, space.embedding_dim, sum(path.tokens(source) for source in sources))
        else:
            shape = (3, sum(path.dense_width(source) for source in sources))
        found.append(numbers(*shape, seed=len(found)))
    return found


def fixed(path, part, inputs, layer):
    """The fixed form with the weights that the path uses."""
    block = path.blocks[part.number - 1]
    dims = {"sparse": block.sparse_dim, "dense_to_sparse": path.space.merger_tokens, "head": 1}
    made = layer_class(part.kind)(dims.get(part.role, block.dense_dim))
    made.build([x.shape for x in inputs])
    for operation in operations(path, part):
        if isinstance(operation, Linear):
            pairs = zip(made.named[operation.name], weights(layer, operation), strict=True)
            for variable, value in pairs:
                assert variable.shape == value.shape
                if isinstance(variable, keras.Variable):
                    variable.assign(value)
    return made


@pytest.mark.parametrize("kind", sorted(KINDS))
def test_equals_the_fixed_form(kind, layers, paths):
    tried = set()
    for path in paths:
        for part in live_parts(path):
            if part.kind == kind and len(tried) < 25:
                inputs = inputs_of(path, part)
                made = layers[part]([tf.constant(x) for x in inputs], path=path)
                np.testing.assert_allclose(made, fixed(path, part, inputs, layers[part])(inputs), atol=1e-4)
                tried.add((part.number, tuple(x.shape for x in inputs), made.shape[-1]))
    assert len(tried) >= 5


def test_slices_hold_what_the_path_uses_and_no_more(layers, paths):
    for path in paths:
        params = 0
        for part in live_parts(path):
            for name, piece in layers[part].slices(path).items():
                (linear,) = (made for made in operations(path, part) if made.name == name)
                assert tf.size(piece.values) == linear.params
                assert len(np.unique(piece.pieces)) == len(piece.pieces)
                for ours, expected in zip(piece.matrix(), weights(layers[part], linear), strict=True):
                    np.testing.assert_array_equal(ours, expected)
                params += linear.params
        assert params == path.params


def test_first_values():
    """Matrices by Glorot's bound for no more inputs than the widest source; gains at the layer's start."""
    wide = Space(3, 4, blocks=3, dense_dims=(32, 64), sparse_dims=(8, 16), embedding_dim=8)
    path = largest(wide)
    for part in live_parts(path):
        layer = Elastic(wide, part)
        for name, piece in layer.slices(path).items():
            (linear,) = (made for made in operations(path, part) if made.name == name)
            matrix, *vectors = piece.matrix()
            bound = np.sqrt(6 / (min(linear.inputs.full, wide.widest) + linear.outputs.full))
            assert np.abs(matrix).max() <= bound
            assert linear.params < 400 or np.abs(matrix).max() > 0.9 * bound
            for vector, start in zip(vectors, linear.vectors, strict=True):
                expected = {"gain": layer_class(part.kind).gain}.get(start, 0.0)
                np.testing.assert_allclose(vector, np.full(vector.shape, expected), rtol=1e-6)


def test_config_round_trip(layers):
    part, layer = next(iter(layers.items()))
    again = keras.saving.deserialize_keras_object(keras.saving.serialize_keras_object(layer))
    assert (again.space, again.part, again.name) == (SPACE, part, layer.name)
    assert [w.shape for w in again.get_weights()] == [w.shape for w in layer.get_weights()]
