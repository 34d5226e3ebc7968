"""Masked towers: what a mask says of a weight, what it changes, and what goes first."""

import keras
import numpy as np
import pytest
import tensorflow as tf
from cut_paths import PATHS, ranker_of, rows

from recfactory.features.layout import make_layout
from recfactory.models.ranker import Ranker
from recfactory.models.sparse_update import SparseAdam
from recfactory.models.standalone import build_ranker
from recfactory.pruning.cut import whole
from recfactory.pruning.masks import MaskedTower, matrices
from recfactory.pruning.ticket import Ticket
from recfactory.space import Block, Path, Space
from recfactory.space.wiring import Part

NAMES = sorted(PATHS)


def given(ranker):
    """What its tower maps to logits."""
    inputs = rows()
    return [inputs["numbers"], ranker.embedding(inputs["ids"])]


def trained_masks(masked, seed=0):
    """Masks that are not what they were at first."""
    rng = np.random.default_rng(seed)
    for _, second in masked.nets:
        second.assign(0.5 * rng.normal(size=second.shape))


@pytest.mark.parametrize("sparse", [False, True])
@pytest.mark.parametrize("learned", [False, True])
@pytest.mark.parametrize("name", NAMES)
def test_masks_change_nothing_at_first(name, learned, sparse):
    ranker = ranker_of(PATHS[name], batch_norm=True)
    inputs = given(ranker)
    expected = ranker.tower(inputs).numpy()
    np.testing.assert_allclose(MaskedTower(ranker.tower, learned, sparse)(inputs), expected, atol=1e-5)


@pytest.mark.parametrize("name", NAMES)
def test_a_folded_tower_predicts_what_the_masked_one_did(name):
    keras.utils.set_random_seed(0)  # masks begin at random
    ranker = ranker_of(PATHS[name], batch_norm=True)
    inputs, plain = given(ranker), ranker.tower(given(ranker)).numpy()
    masked = MaskedTower(ranker.tower, learned=True, sparse=False)
    trained_masks(masked)
    expected = masked(inputs).numpy()
    assert np.abs(expected - plain).max() > 0.1
    np.testing.assert_allclose(masked.fold()(inputs), expected, atol=1e-5)


@pytest.mark.parametrize("learned", [False, True])
def test_weights_that_are_gone_stay_so(learned):
    tower = ranker_of(PATHS[NAMES[0]], batch_norm=True).tower
    gone = {}
    for key, variable in matrices(tower).items():
        gone[key] = np.random.default_rng(0).random(variable.shape) < 0.3
        variable.assign(np.where(gone[key], 0.0, variable.numpy()))
    masked = MaskedTower(tower, learned, sparse=True)
    for variable in masked.named.values():
        variable.assign_add(tf.ones(variable.shape))  # as a step of training does
    for key, variable in matrices(masked.fold()).items():
        np.testing.assert_array_equal(variable.numpy() == 0, gone[key])


def test_a_weight_is_worth_its_share_of_the_masked_squares():
    masked = MaskedTower(ranker_of(PATHS[NAMES[0]], True).tower, learned=True, sparse=False)
    rng, wanted = np.random.default_rng(0), {}
    for (first, second), (key, variable) in zip(masked.nets, masked.named.items(), strict=True):
        inputs, outputs = variable.shape
        columns, by_input = 1 + rng.permutation(outputs), rng.normal(size=inputs) / outputs
        variable.assign(np.tile(columns, (inputs, 1)))
        first.assign(np.full(first.shape, 1 / inputs))
        second.assign(np.tile(by_input[:, np.newaxis] / second.shape[1], (1, second.shape[1])))
        wanted[key] = (columns / (1 + np.exp(-by_input[:, np.newaxis] * columns))) ** 2
    worths = masked.worths()
    for key, squares in wanted.items():
        np.testing.assert_allclose(worths[key], squares / squares.sum(), rtol=1e-4)


def test_without_masks_a_weight_is_worth_its_square():
    masked = MaskedTower(ranker_of(PATHS[NAMES[0]], True).tower, learned=False, sparse=False)
    for key, worth in masked.worths().items():
        square = masked.named[key].numpy() ** 2
        np.testing.assert_allclose(worth, square / square.sum(), rtol=1e-4)


LAYOUT = make_layout(("a", "b", "c", "d"), [("x", 1, 6), ("y", 1, 6)])
SPACE = Space(4, 2, blocks=1, dense_dims=(8,), sparse_dims=(4,), embedding_dim=4)
PATH = Path(SPACE, (Block("fc", 8, "efc", 4, (0,), (0,), 0, 0, False, False),))


def clicks_by_numbers(count):
    """Rows whose clicks depend on all of the numbers and on no category."""
    rng = np.random.default_rng(0)
    numbers = rng.normal(size=(count, 4)).astype(np.float32)
    ids = np.stack([f.offset + rng.integers(0, f.size, count) for f in LAYOUT.fields], 1).astype(np.int32)
    logits = 3 * (numbers[:, 0] * numbers[:, 1] + numbers[:, 2] * numbers[:, 3])
    label = (rng.random(count) < 1 / (1 + np.exp(-logits))).astype(np.float32)
    return {"numbers": numbers, "ids": ids}, label


@pytest.mark.parametrize("learned", [False, True])
def test_what_carries_useless_columns_alone_goes_first(learned):
    keras.utils.set_random_seed(0)
    initial = build_ranker(PATH, LAYOUT, batch_norm=True)
    masked = MaskedTower(initial.tower, learned, sparse=False)
    ranker = Ranker(LAYOUT, SPACE.embedding_dim, masked)
    ranker.compile(keras.optimizers.Adam(0.01), SparseAdam(0.01))
    ranker.fit(*clicks_by_numbers(4096), batch_size=64, epochs=3, verbose=0)
    worths, tokens = masked.worths(), slice(8, None)
    head = worths["block_1_head", "kernel"]
    assert head[tokens].mean() < 0.1 * head[:8].mean()
    # Masks make columns small that batch normalisation makes large again; two go that the head reads.
    share, kept = (0.8, 6) if learned else (0.9, 8)
    left = Ticket(PATH, whole(PATH), {}).without_structure(worths, share * PATH.macs).cut
    assert left[Part(1, "dense", "fc")].out.sum() >= kept
    assert not left[Part(1, "sparse", "efc")].out.all()
