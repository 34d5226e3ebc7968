"""Counting multiply-accumulates on the graph of a model."""

import keras
import pytest
import tensorflow as tf

from recfactory.features.layout import make_layout
from recfactory.models.macs import count_macs
from recfactory.models.ranker import Ranker
from recfactory.models.registry import build

# 2 numbers and 3 fields of 4 are 14 features; the multi-valued field's average is not counted.
LAYOUT = make_layout(("x", "y"), [("a", 1, 9), ("b", 1, 7), ("m", 3, 9)])
SIZES = {"hidden": [8, 5], "embedding_dim": 4, "bottom": [6], "crosses": 2}
DEEP = 14 * 8 + 8 * 5


@pytest.mark.parametrize(
    ("name", "macs"),
    [
        ("mlp", DEEP + 5),
        ("dcnv2", 2 * 14 * 14 + DEEP + 14 + 5),
        # The factorization machine's part is sums and squares.
        ("deepfm", DEEP + 5),
        # 4 vectors, all of whose 16 inner products are computed; 6 of them go on.
        ("dlrm", (2 * 6 + 6 * 4) + 4 * 4 * 4 + (4 * 4 + 6) * 8 + 8 * 5 + 5),
        # Its bottom is a fourth field.
        ("tfrs", (2 * 6 + 6 * 4) + 16 * 16 + 16 * 8 + 8 * 5 + 5),
    ],
)
@pytest.mark.parametrize("batch_norm", [False, True])
def test_handmade_models_by_hand(name, macs, batch_norm):
    ranker = build(name, LAYOUT, {**SIZES, "batch_norm": batch_norm})
    assert count_macs(ranker) == macs


def test_the_default_dcnv2_on_ten_categorical_columns():
    ten = make_layout((), [(str(i), 1, 5) for i in range(10)])
    assert count_macs(build("dcnv2", ten)) == 3 * 160**2 + 160 * 400 + 2 * 400**2 + 560


class Hidden(keras.layers.Layer):
    """A tower whose product stands where it cannot be seen."""

    def __init__(self, product):
        super().__init__()
        self.product = product

    def call(self, inputs, training=False):
        return self.product(inputs[0])


@pytest.mark.parametrize(
    "product",
    [lambda x: tf.einsum("bi,bi->b", x, x)[:, None], tf.function(lambda x: x @ tf.ones([2, 1]))],
    ids=["einsum", "function"],
)
def test_what_cannot_be_counted_is_an_error(product):
    with pytest.raises(ValueError, match="cannot count the multiply-accumulates"):
        count_macs(Ranker(LAYOUT, 4, Hidden(product)))
