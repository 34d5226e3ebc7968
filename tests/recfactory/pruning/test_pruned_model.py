"""The smaller model: it predicts what the masked one does, at the costs that were counted."""

import keras
import numpy as np
import pytest
from cut_paths import LAYOUT, PATHS, masked_logits, random_cut, ranker_of, rows

from recfactory.models.macs import count_macs
from recfactory.models.registry import load
from recfactory.models.sparse_update import SparseAdam
from recfactory.pruning.anatomy import macs
from recfactory.pruning.build import shrink
from recfactory.pruning.cut import close, whole
from recfactory.space.wiring import Part


@pytest.mark.parametrize("batch_norm", [False, True], ids=["layer", "batch"])
@pytest.mark.parametrize("name", PATHS)
def test_removal_is_exactly_masking(name, batch_norm):
    path = PATHS[name]
    ranker, inputs = ranker_of(path, batch_norm), rows()
    seen = set()
    for seed in range(2):
        cut = random_cut(path, seed, share=0.9 - 0.2 * seed)
        small = shrink(path, whole(path), cut, ranker, batch_norm, 0.0)
        expected = masked_logits(path, cut, ranker, inputs)
        np.testing.assert_allclose(small.logits(inputs), expected, atol=1e-5)
        assert count_macs(small) == macs(path, cut) < path.macs
        seen.add(round(float(np.std(expected)), 3))
    assert min(seen) > 0


def test_a_merger_whose_numbers_nobody_reads_is_gone():
    """The tokens that the other merger makes of the same numbers stay."""
    path, inputs = PATHS["dot products and attention"], rows()
    cut, fm = whole(path), Part(1, "fm", "fm")
    cut[Part(2, "dense", "dot_product")].reads[0][-16:] = False
    cut[Part(3, "dense", "fc")].reads[0][8:] = False
    close(path, cut)
    assert cut[fm].alive
    cut[Part(3, "dense", "fc")].reads[0][:] = False
    close(path, cut)
    assert not cut[fm].alive
    assert cut[Part(1, "dense_to_sparse", "dense_to_sparse")].alive
    ranker = ranker_of(path, batch_norm=True)
    small = shrink(path, whole(path), cut, ranker, True, 0.0)
    np.testing.assert_allclose(small.logits(inputs), masked_logits(path, cut, ranker, inputs), atol=1e-5)
    assert count_macs(small) == macs(path, cut)


@pytest.mark.parametrize("name", PATHS)
def test_leaving_everything_changes_nothing(name):
    path, inputs = PATHS[name], rows()
    ranker = ranker_of(path, batch_norm=False)
    same = shrink(path, whole(path), whole(path), ranker, False, 0.0)
    np.testing.assert_allclose(same.logits(inputs), ranker.logits(inputs), atol=1e-5)
    assert macs(path, whole(path)) == path.macs == count_macs(same)


def test_a_cut_of_a_cut_is_a_cut():
    path, inputs = PATHS["dot products and attention"], rows()
    ranker = ranker_of(path, batch_norm=True)
    more = random_cut(path, 1, share=0.95)
    less = random_cut(path, 1, share=0.9)
    assert macs(path, less) < macs(path, more)
    at_once = shrink(path, whole(path), less, ranker, True, 0.0)
    between = shrink(path, whole(path), more, ranker, True, 0.0)
    in_two = shrink(path, more, less, between, True, 0.0)
    np.testing.assert_array_equal(in_two.logits(inputs), at_once.logits(inputs))


def test_saves_loads_and_trains_further(tmp_path):
    path, inputs = PATHS["gates and sums"], rows(64)
    small = shrink(path, whole(path), random_cut(path, 2), ranker_of(path, True), True, 0.1)
    small.save(tmp_path / "m.keras")
    again = load(tmp_path / "m.keras")
    np.testing.assert_array_equal(again.logits(inputs), small.logits(inputs))
    again.compile(keras.optimizers.Adam(0.01), SparseAdam(0.01))
    label = (np.random.default_rng(0).random(64) < 0.4).astype(np.float32)
    losses = again.fit(inputs, label, batch_size=16, epochs=4, verbose=0).history["loss"]
    assert losses[-1] < losses[0]
    assert again.layout == LAYOUT
