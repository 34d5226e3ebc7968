"""A training step changes the weights and slots of its path as a step of the standalone model would, and no
others by a single bit."""

import keras
import numpy as np
import pytest
import tensorflow as tf
from nets import LAYOUT, Fixed, batch, gradients, places, random_paths, small_space, supernet, used

from recfactory.models.sparse_update import SparseAdagrad, SparseAdam
from recfactory.models.standalone import build_ranker

SPACE = small_space()
PATHS = random_paths(SPACE, 7, seed=4)
OPTIMIZERS = {
    "adagrad": (lambda: SparseAdagrad(0.1), lambda: keras.optimizers.Adagrad(0.1)),
    "adam": (lambda: SparseAdam(0.02), lambda: keras.optimizers.Adam(0.02)),
}


@pytest.mark.parametrize("optimizer", OPTIMIZERS)
@pytest.mark.parametrize(("l2", "clip"), [(0.0, 0.0), (0.3, 0.05)])
@pytest.mark.parametrize("path", PATHS[2:4], ids=range(2))
def test_steps_equal_those_of_the_standalone_model(optimizer, l2, clip, path):
    """Whose optimizer is Keras' own, dense one."""
    sparse, dense = OPTIMIZERS[optimizer]
    net = supernet(SPACE, path, embedding_l2=l2, clip_norm=clip)
    net.compile(sparse())
    alone = build_ranker(path, LAYOUT, embedding_l2=l2, clip_norm=clip)
    alone.set_weights(net.extract(path).get_weights())
    alone.compile(dense(), sparse(), run_eagerly=True)
    inputs, label, weight = tf.nest.map_structure(tf.constant, batch(16))
    for _ in range(3):
        losses = [model.train_on_batch(inputs, label, sample_weight=weight) for model in (net, alone)]
        assert losses[0] == pytest.approx(losses[1], rel=1e-4)
    for ours, theirs in zip(net.extract(path).get_weights(), alone.get_weights(), strict=True):
        np.testing.assert_allclose(ours, theirs, atol=2e-4 if optimizer == "adam" else 2e-5)


def everything(net):
    """Weights and slots by bank and by name of the slot; the table too."""
    (optimizer,) = net.optimizers()
    tables = [net.embedding.table, *(bank for e in net.elastic for bank in e.banks.values())]
    return {
        (id(table), i): variable.numpy()
        for table in tables
        for i, variable in enumerate([table, *optimizer.slots[id(table)]])
    }


@pytest.mark.parametrize("optimizer", OPTIMIZERS)
@pytest.mark.parametrize("path", PATHS[:4], ids=range(4))
def test_nothing_else_changes(optimizer, path):
    net, data = supernet(SPACE, path), batch()
    found = gradients(net, data)
    net.compile(OPTIMIZERS[optimizer][0]())
    before = everything(net)
    inputs, label, weight = data
    net.train_on_batch(inputs, label, sample_weight=weight)
    after = everything(net)
    flags = used(net, path)
    table = net.embedding.table
    touched = np.zeros(table.shape, bool)
    touched[np.unique(inputs["ids"])] = True
    flags[id(table)] = touched.reshape(-1)
    for (bank, slot), old in before.items():
        old, new = old.reshape(-1), after[bank, slot].reshape(-1)
        may = flags.get(bank, np.zeros(old.size, bool))
        np.testing.assert_array_equal(new[~may], old[~may])
        if bank not in found:
            continue
        gradient = found[bank][0].reshape(-1)
        large = np.abs(gradient) > 1e-3
        assert (new[large] != old[large]).all()
        assert not large[~may].any()
        if slot == 0 and optimizer == "adagrad":
            expected = old - 0.1 * gradient / np.sqrt(0.1 + gradient**2)
        elif slot == 0:
            # At the first step of Adam the corrected moments are the gradient and its square.
            expected = old - 0.02 * gradient / (np.abs(gradient) + 1e-7 / np.sqrt(1 - 0.999))
        elif optimizer == "adagrad":
            expected = old + gradient**2
        else:
            expected = (1 - 0.9) * gradient if slot == 1 else (1 - 0.999) * gradient**2
        np.testing.assert_allclose(new, expected, atol=1e-5)


def test_steps_are_counted():
    net, (inputs, label, _) = supernet(SPACE, *PATHS[:2]), batch()
    net.compile(SparseAdagrad(0.1))
    for _ in range(3):
        net.train_on_batch(inputs, label)
    assert int(net.steps) == 3
    assert int(net.optimizer.iterations) == 3


def test_a_rare_path_is_not_moved_by_others():
    """Adam's moments do not move weights whose path is not trained."""
    net, (inputs, label, _) = supernet(SPACE, PATHS[0]), batch()
    net.compile(SparseAdam(0.1))
    net.train_on_batch(inputs, label)
    only = used(net, PATHS[0])
    for bank, flags in used(net, PATHS[1]).items():
        if bank in only:
            only[bank] &= ~flags
    before = everything(net)
    net.sampler = Fixed((PATHS[1],))
    net.train_on_batch(inputs, label)
    after = everything(net)
    moved = 0
    for (bank, slot), old in before.items():
        if bank in only:
            np.testing.assert_array_equal(
                after[bank, slot].reshape(-1)[only[bank]], old.reshape(-1)[only[bank]]
            )
            moved += only[bank].sum()
    assert moved > 100


def test_places_are_those_of_the_path():
    net = supernet(SPACE)
    for path in PATHS:
        assert sum(place.index.size for place in places(net, path)) == path.params
        assert sum(flags.sum() for flags in used(net, path).values()) == path.params
