import numpy as np
import pytest
import tensorflow as tf

from recfactory.errors import UserError
from recfactory.features import packed
from recfactory.features.layout import make_layout
from recfactory.features.packed import Encoded

LAYOUT = make_layout(("x", "y"), [("a", 1, 10), ("b", 2, 10)])
ROWS = 10_000


def rows(first, count, truth=False):
    """Rows that say who they are."""
    number = np.arange(first, first + count)
    dense = np.stack([number, -number], 1).astype(np.float32)
    ids = np.stack([number, number + 1, number + 2], 1).astype(np.int32)
    share = (number / ROWS).astype(np.float32) if truth else None
    return Encoded(dense, ids, (number % 2).astype(np.float32), (number % 7).astype(np.float32), share)


def write(folder, parts, truth=False, split="train"):
    (folder / "encoded" / split).mkdir(parents=True)
    first = 0
    for i, count in enumerate(parts):
        with tf.io.TFRecordWriter(str(folder / "encoded" / split / f"part-{i:05d}.tfrecord")) as writer:
            for block in packed.blocks(rows(first, count, truth)):
                writer.write(block)
        first += count


@pytest.fixture(scope="module")
def features(tmp_path_factory):
    folder = tmp_path_factory.mktemp("features")
    write(folder, [4000, 1, 2500, 3499])
    return folder


@pytest.fixture
def small_pools(monkeypatch):
    monkeypatch.setattr(packed, "POOL_BLOCKS", 2)


def numbers(features, seed, batch_size=512):
    """The rows in the order they come, after a look at whether each is whole."""
    found = []
    for inputs, label, weight in packed.dataset(features, "train", LAYOUT, batch_size, seed):
        number = inputs["ids"].numpy()[:, 0]
        whole = [rows(int(i), 1) for i in number]
        np.testing.assert_array_equal(inputs["ids"], np.concatenate([row.ids for row in whole]))
        np.testing.assert_array_equal(inputs["numbers"], np.concatenate([row.dense for row in whole]))
        np.testing.assert_array_equal(label, np.concatenate([row.label for row in whole]))
        np.testing.assert_array_equal(weight, np.concatenate([row.weight for row in whole]))
        found.append(number)
    assert {len(part) for part in found[:-1]} <= {batch_size}
    return np.concatenate(found)


def test_rows_come_back_in_order(features):
    assert numbers(features, None).tolist() == list(range(ROWS))


def test_shuffled_every_row_comes_once(features, small_pools):
    for seed in (0, 1, 12345):
        assert sorted(numbers(features, seed)) == list(range(ROWS))


def test_same_seed_same_order(features, small_pools):
    first = numbers(features, 3)
    assert (numbers(features, 3) == first).all()
    assert (numbers(features, 3, batch_size=100) == first).all()
    assert (numbers(features, 4) != first).mean() > 0.9


def test_shuffling_mixes(features):
    """Within a pool neighbours are strangers, and each batch is like the whole."""
    order = numbers(features, 7)
    assert np.mean(np.abs(np.diff(order)) < 10) < 0.01
    places = np.corrcoef(order, np.arange(ROWS))[0, 1]
    assert abs(places) < 0.05
    means = [order[i : i + 500].mean() for i in range(0, ROWS, 500)]
    assert np.std(means) < 3 * ROWS / np.sqrt(12 * 500)


def test_truth(tmp_path):
    write(tmp_path, [1500], truth=True)
    for inputs, _, _, truth in packed.dataset(tmp_path, "train", LAYOUT, 400, 1, truth=True):
        np.testing.assert_array_equal(truth, (inputs["ids"].numpy()[:, 0] / ROWS).astype(np.float32))


@pytest.mark.parametrize("names", [(("x",), []), ((), [("a", 1, 9)])])
def test_layouts_of_one_kind_alone(tmp_path, names):
    layout = make_layout(*names)
    whole = rows(0, 1100)
    narrow = Encoded(
        whole.dense[:, : len(layout.dense)], whole.ids[:, : layout.slots], whole.label, whole.weight
    )
    (tmp_path / "encoded" / "train").mkdir(parents=True)
    with tf.io.TFRecordWriter(str(tmp_path / "encoded" / "train" / "part-0.tfrecord")) as writer:
        for block in packed.blocks(narrow):
            writer.write(block)
    ((inputs, label, _),) = packed.dataset(tmp_path, "train", layout, 2000, 1)
    assert inputs["numbers"].shape == (1100, len(layout.dense))
    assert inputs["ids"].shape == (1100, layout.slots)
    assert len(label) == 1100


def test_blocks_are_the_same_bytes_each_time():
    assert list(packed.blocks(rows(0, 3000))) == list(packed.blocks(rows(0, 3000)))
    assert len(list(packed.blocks(rows(0, 2 * packed.BLOCK_ROWS + 1)))) == 3
    assert list(packed.blocks(rows(0, 0))) == []


def test_a_split_without_rows_is_told(features):
    with pytest.raises(UserError, match="has no encoded test rows; make them with `recfactory features`"):
        packed.dataset(features, "test", LAYOUT, 10)
