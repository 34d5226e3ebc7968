"""The masked network at full width against the supernet that its weights are of."""

from dataclasses import replace

import keras
import numpy as np
import pytest
import tensorflow as tf

from recfactory.benchmarks.nasrec.full_weights import full_weights, path_parts
from recfactory.benchmarks.nasrec.full_width import FullWidth
from recfactory.features.layout import make_layout
from recfactory.layers.head import penultimate
from recfactory.space.genes import decode
from recfactory.space.path import Path
from recfactory.space.sampling import largest, sample_uniform
from recfactory.space.space import PRESETS, Space
from recfactory.supernet.supernet import Supernet

ROWS = 12
LAYOUT = make_layout(("x", "y", "z"), [("a", 1, 9), ("b", 1, 7), ("c", 1, 9), ("d", 1, 5)])
DIMS = {"dense_dims": (8, 16, 24), "sparse_dims": (2, 4, 6), "embedding_dim": 8, "merger_tokens": 3}


def space(preset, **changes):
    return Space(**{"numbers": 3, "fields": 4, "blocks": 4, **DIMS, **PRESETS[preset], **changes})


def whole_attention(path):
    """The path with attention over all tokens: at full width masked ones, too, are attended to."""
    blocks = [
        replace(block, sparse_dim=6) if block.sparse_operator == "attention" else block
        for block in path.blocks
    ]
    return Path(path.space, tuple(blocks))


@pytest.mark.parametrize("one", [space("small"), space("full"), space("full", raw_dense="both")])
def test_over_the_paths_own_width_it_is_the_supernet(one):
    keras.utils.set_random_seed(0)
    net, rng = Supernet(one, LAYOUT), np.random.default_rng(0)
    for variable in net.trainable_variables:
        variable.assign_add(0.3 * rng.normal(size=variable.shape))
    zero = [rng.normal(size=(ROWS, one.raw_width)), rng.normal(size=(ROWS, one.embedding_dim, one.fields))]
    zero = [tf.constant(x, tf.float32) for x in zero]
    for path in [largest(one), *decode(one, sample_uniform(one, 20, rng))]:
        path = whole_attention(path)
        full = FullWidth(path, full_weights(net, path), ROWS, active=True)
        dense, sparse = full.streams(*zero)
        kernel, bias = full.last_layer()
        logits = tf.matmul(penultimate(dense[-1], sparse[-1]), kernel) + bias
        np.testing.assert_allclose(logits, net.subnet(path).logits(*zero), rtol=1e-3, atol=1e-3)
        assert [x.shape[1] for x in dense] == [one.raw_width] + [24] * one.blocks
        assert [x.shape[2] for x in sparse] == [one.fields] + [9] * one.blocks


def test_the_widest_path_is_the_same_over_the_full_width():
    one = space("small")
    net, path = Supernet(one, LAYOUT), largest(one)
    zero = tf.random.normal([ROWS, 3], seed=1), tf.random.normal([ROWS, 8, 4], seed=2)
    weights = full_weights(net, path)
    outputs = [FullWidth(path, weights, ROWS, active).streams(*zero) for active in (False, True)]
    np.testing.assert_allclose(outputs[0][0][-1], outputs[1][0][-1], atol=1e-5)


def test_weights_of_all_parts_also_of_those_that_nothing_reads():
    one = space("full")
    net = Supernet(one, LAYOUT)
    for path in decode(one, sample_uniform(one, 5, np.random.default_rng(1))):
        named = {tuple(name.split("/")[:2]) for name in full_weights(net, path)}
        assert named == {(str(part.number), part.kind) for part in path_parts(path)}
