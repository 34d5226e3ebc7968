"""A path inside the supernet against the same path as a model of its own."""

import numpy as np
import pytest
import tensorflow as tf
from nets import LAYOUT, batch, kinds, random_paths, small_space, supernet

from recfactory.features.layout import make_layout
from recfactory.space import PRESETS, Block, Path, Space
from recfactory.space.wiring import Part, live_parts


def agree(space, paths, layout=LAYOUT):
    net = supernet(space, layout=layout)
    inputs = {key: tf.constant(value) for key, value in batch(layout=layout)[0].items()}
    spread = []
    for path in paths:
        alone = net.extract(path)
        predicted = alone(inputs)
        assert alone.tower.count_params() == path.params
        np.testing.assert_allclose(net(inputs, path=path), predicted, atol=1e-5)
        spread.append(np.std(predicted))
    assert np.median(spread) > 1e-3
    return paths


@pytest.mark.parametrize("preset", PRESETS)
@pytest.mark.parametrize("raw", ["numbers", "both"])
def test_extract_agrees(preset, raw):
    space = small_space(preset, blocks=7, raw_dense=raw)
    paths = agree(space, random_paths(space, 20, seed=len(raw)))
    assert kinds(paths) == {
        "dense_to_sparse",
        "fm",
        "head",
        *space.dense_operators,
        *space.sparse_operators,
    }


@pytest.mark.slow
@pytest.mark.parametrize("preset", PRESETS)
def test_extract_agrees_on_true_presets(preset):
    layout = make_layout(tuple(f"n{i}" for i in range(13)), [(f"c{i}", 1, 10) for i in range(26)])
    space = Space(13, 26, **PRESETS[preset])
    agree(space, random_paths(space, 200), layout)


def test_data_without_dense_columns():
    layout = make_layout((), [("a", 1, 9), ("b", 2, 7)])
    space = small_space(numbers=0, fields=2, raw_dense="fields", blocks=2)
    agree(space, random_paths(space, 6), layout)


def test_extract_copies():
    space = small_space(blocks=2)
    net, (inputs, *_) = supernet(space), batch()
    path = random_paths(space, 3)[2]
    alone = net.extract(path)
    before = alone(inputs).numpy()
    for variable in net.trainable_variables:
        variable.assign(tf.zeros_like(variable))
    np.testing.assert_array_equal(alone(inputs), before)


def test_dead_parts_are_not_read():
    space = small_space()
    dead = Block("gating", 24, "attention", 6, (0,), (0,), 0, 0, True, True)
    last = Block("fc", 8, "efc", 2, (0,), (0,), 0, 0, False, False)
    path = Path(space, (dead, dead, last))
    net = supernet(space)
    assert set(net.subnet(path).slices) == {
        Part(3, "dense", "fc"),
        Part(3, "sparse", "efc"),
        Part(3, "head", "head"),
    }
    for path in random_paths(space, 20):
        assert set(net.subnet(path).slices) == set(live_parts(path))


def test_a_path_must_be_named():
    net, (inputs, *_) = supernet(small_space(blocks=1)), batch()
    with pytest.raises(ValueError, match="say which path to run"):
        net(inputs)
    net.path = random_paths(net.space, 2)[0]
    np.testing.assert_array_equal(net(inputs), net(inputs, path=net.path))


def test_every_path_starts_at_the_prior():
    space = small_space()
    net = supernet(space)
    inputs = {key: tf.constant(value) for key, value in batch()[0].items()}
    for path in random_paths(space, 6):
        net.start_at(0.0)
        before = net.extract(path).logits(inputs)
        net.start_at(-1.5)
        np.testing.assert_allclose(net.extract(path).logits(inputs), before - 1.5, atol=1e-5)
