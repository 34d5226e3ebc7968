"""Models of paths with few bits."""

from dataclasses import replace
from functools import cache

import keras
import numpy as np
import plain_crossbar
import pytest
import tensorflow as tf
from few_bits import LAYOUT, all_of, clicks, mixed, rows, small_space

from recfactory.errors import UsageError, UserError
from recfactory.layers.elastic import layer_class
from recfactory.layers.stem import source_zero
from recfactory.models import registry
from recfactory.models.sparse_update import SparseAdam
from recfactory.models.standalone import build_ranker
from recfactory.quantise import fake
from recfactory.quantise.grid import best_range
from recfactory.quantise.matrix import Arithmetic, Quantised
from recfactory.quantise.model import quantised
from recfactory.quantise.precision import Bits, Crossbar, Precision
from recfactory.space.genes import decode
from recfactory.space.sampling import largest, sample_uniform
from recfactory.space.wiring import live_parts
from recfactory.supernet.quantised import quantised_subnet
from recfactory.supernet.supernet import Supernet

SPACE = small_space(3)
LOSSY, NOISY = Crossbar(8, 2, 1, 3), Crossbar(8, 2, 1, 4, noise=0.1)


@cache
def single():
    """Some paths that have every kind of operator between them."""
    drawn = decode(SPACE, sample_uniform(SPACE, 2, np.random.default_rng(1)))
    kinds = {part.kind for path in drawn for part in live_parts(path)}
    assert kinds >= {*SPACE.dense_operators, *SPACE.sparse_operators, "fm", "dense_to_sparse"}
    return tuple(drawn)


@pytest.fixture(scope="module")
def net():
    keras.utils.set_random_seed(0)
    net, rng = Supernet(SPACE, LAYOUT), np.random.default_rng(0)
    for variable in net.trainable_variables:
        variable.assign_add(0.3 * rng.normal(size=variable.shape))
    return net


@pytest.fixture(scope="module")
def inputs():
    return {key: tf.constant(value) for key, value in rows().items()}


def logits(net, path, precision, inputs):
    zero = source_zero(SPACE.raw_dense, inputs["numbers"], net.embedding(inputs["ids"]))
    subnet = quantised_subnet(net.subnet(path), precision, *zero)
    return subnet.logits(*zero).numpy()[:, 0]


@pytest.mark.parametrize("signed", [False, True])
@pytest.mark.parametrize("crossbar", [None, LOSSY, NOISY])
def test_a_matrix_multiplies_as_its_crossbars(crossbar, signed):
    rng = np.random.default_rng(0)
    x, w = (rng.normal(size=shape).astype(np.float32) for shape in [(30, 21), (21, 4)])
    x = x if signed else np.abs(x)
    low, high = best_range(x, 4)
    assert (low < 0) == signed
    step = (high - low) / 15
    matrix = Quantised(tf.constant(w), Arithmetic(Bits(5, 4), crossbar), tf.constant([low, high]), 3)
    found = matrix.product(tf.constant(x), transposed=False).numpy()
    stored = fake.codes_of(tf.constant(w), 5)
    given = np.rint(np.clip(x, low, high) / step).astype(int)
    codes = stored.codes.numpy().astype(int)
    sums = given @ codes
    if crossbar:
        noise = crossbar.noise * tf.random.stateless_normal([21, 3, 4], [3, 0]).numpy()
        sums = plain_crossbar.multiply(given, codes, crossbar, 5, 4, noise.astype(np.float64), signed)
        assert np.any(sums != given @ codes)
    offset = given.sum(1, keepdims=True) * stored.low.numpy()
    np.testing.assert_allclose(found, (sums * stored.step.numpy() + offset) * step, atol=1e-3)
    turned = Quantised(tf.constant(w.T), matrix.arithmetic, matrix.ends, 3)
    np.testing.assert_allclose(turned.product(tf.constant(x), transposed=True), found, atol=1e-6)


def test_every_operator_has_its_own_bits(net, inputs):
    precision = mixed(SPACE, NOISY)
    for path in single():
        alone = quantised(net.extract(path), precision, inputs)
        subnet = quantised_subnet(net.subnet(path), precision, *zero_of(net, inputs))
        for part in live_parts(path):
            own = precision.bits[part.number, part.role]
            assert alone.tower.get_layer(part.name).arithmetic.bits == own
            roundings = [piece.rounding for piece in subnet.slices[part].values() if piece.rounding]
            assert all(rounding.arithmetic.bits == own for rounding in roundings)
            assert roundings or part.kind == "sum"


@pytest.mark.parametrize("crossbar", [None, NOISY])
def test_a_path_computes_the_same_alone_and_in_the_supernet(net, inputs, crossbar):
    for path in single():
        precision = mixed(SPACE, crossbar)
        alone = quantised(net.extract(path), precision, inputs)
        expected = logits(net, path, precision, inputs)
        assert np.abs(expected - net.logits(inputs, path).numpy()).max() > 1e-3
        np.testing.assert_allclose(alone.logits(inputs), expected, atol=2e-3, rtol=2e-3)


def test_many_bits_are_as_good_as_float(net, inputs):
    for path in [single()[0], largest(SPACE)]:
        exact = net.logits(inputs, path).numpy()
        errors = [np.abs(logits(net, path, all_of(SPACE, b, b), inputs) - exact).mean() for b in (3, 8, 14)]
        assert errors[0] > errors[1] > errors[2]
        assert errors[2] < 1e-2 * np.std(exact)


def test_crossbars_that_lose_nothing_are_left_out(net, inputs):
    path = single()[0]
    plain = logits(net, path, all_of(SPACE, 6, 5), inputs)
    exact = Crossbar(8, 2, 1, 5)
    np.testing.assert_array_equal(plain, logits(net, path, all_of(SPACE, 6, 5, exact), inputs))
    assert np.any(plain != logits(net, path, all_of(SPACE, 6, 5, NOISY), inputs))


def test_what_a_digital_unit_computes_is_exact(net, inputs):
    path = single()[0]
    on_chip, exact = mixed(SPACE, NOISY), mixed(SPACE)
    everything = replace(on_chip, digital=frozenset(on_chip.bits))
    expected = logits(net, path, exact, inputs)
    np.testing.assert_array_equal(logits(net, path, everything, inputs), expected)
    some = replace(on_chip, digital=everything.digital - {(3, "head")})
    alone = quantised(net.extract(path), some, inputs)
    for part in live_parts(path):
        there = alone.tower.get_layer(part.name).arithmetic.crossbar
        assert there == (NOISY if part.role == "head" else None)
    found = logits(net, path, some, inputs)
    assert np.any(found != expected)
    np.testing.assert_allclose(alone.logits(inputs), found, atol=2e-3, rtol=2e-3)


def test_operators_without_bits_stay_as_they_are(net, inputs):
    path = single()[1]
    np.testing.assert_array_equal(
        logits(net, path, Precision({}), inputs), net.subnet(path).logits(*zero_of(net, inputs)).numpy()[:, 0]
    )


def zero_of(net, inputs):
    return source_zero(SPACE.raw_dense, inputs["numbers"], net.embedding(inputs["ids"]))


def test_the_shared_weights_are_left_alone(net, inputs):
    before = net.get_weights()
    logits(net, single()[0], all_of(SPACE, 2, 2), inputs)
    for one, other in zip(before, net.get_weights(), strict=True):
        np.testing.assert_array_equal(one, other)


@pytest.fixture(scope="module")
def trained():
    """A model of one block, its data and clicks."""
    small = small_space(1)
    path = decode(small, sample_uniform(small, 1, np.random.default_rng(0)))[0]
    keras.utils.set_random_seed(1)
    ranker = build_ranker(path, LAYOUT, batch_norm=True, dropout=0.1, prior=-0.5)
    ranker.compile(keras.optimizers.Adam(0.01), SparseAdam(0.01))
    data = rows(256)
    label = clicks(data)
    ranker.fit(data, label, batch_size=64, epochs=1, verbose=0)
    return ranker, data, label


def test_training_on_with_few_bits_and_saving(trained, tmp_path):
    ranker, data, label = trained
    few = quantised(ranker, all_of(SPACE, 2, 2, embedding=3), data)
    ends = [layer.ends["kernel"].numpy() for layer in few.tower.layers if getattr(layer, "ends", None)]
    few.compile(keras.optimizers.Adam(0.01), SparseAdam(0.01))
    before = few.evaluate(data, label, verbose=0, return_dict=True)["loss"]
    few.fit(data, label, batch_size=64, epochs=4, verbose=0)
    after = few.evaluate(data, label, verbose=0, return_dict=True)["loss"]
    assert after < before
    few.save(tmp_path / "model.keras")
    again = registry.load(tmp_path / "model.keras")
    np.testing.assert_array_equal(again.predict(data, verbose=0), few.predict(data, verbose=0))
    # On lossy crossbars the trained ends stay.
    chip = quantised(again, all_of(SPACE, 2, 2, LOSSY, embedding=3), data)
    kept = [layer.ends["kernel"].numpy() for layer in chip.tower.layers if getattr(layer, "ends", None)]
    np.testing.assert_array_equal(ends, kept)
    assert np.any(chip.predict(data, verbose=0) != few.predict(data, verbose=0))
    chip.save(tmp_path / "chip.keras")
    loaded = registry.load(tmp_path / "chip.keras")
    np.testing.assert_array_equal(loaded.predict(data, verbose=0), chip.predict(data, verbose=0))


def test_another_chip_has_other_noise(trained, inputs):
    ranker, *_ = trained
    noisy = all_of(SPACE, 6, 6, Crossbar(8, 2, 1, 5, noise=0.05))
    one, same, other = (quantised(ranker, noisy, inputs, chip).logits(inputs).numpy() for chip in (0, 0, 1))
    np.testing.assert_array_equal(one, same)
    assert np.any(one != other)


def test_embeddings_are_rounded_where_they_are_read(trained, inputs):
    ranker, *_ = trained
    few = quantised(ranker, Precision({}, embedding=4), inputs)
    np.testing.assert_array_equal(few.embedding.table, ranker.embedding.table)
    np.testing.assert_allclose(
        few.embedding(inputs["ids"])[:, 0],
        fake.embeddings(ranker.embedding.lookup(inputs["ids"]), 4)[:, 0],
        atol=1e-6,
    )


def test_only_paths_have_bits(inputs):
    mlp = registry.build("mlp", LAYOUT)
    with pytest.raises(UserError, match="not that of a path"):
        quantised(mlp, all_of(SPACE, 8, 8), inputs)


def test_an_operator_that_cannot_be_quantised_says_so():
    layer = layer_class("fc")(4)
    matrix = Quantised(tf.ones([3, 4]), Arithmetic(Bits(8, 8)), tf.constant([0.0, 1.0]))
    with pytest.raises(UsageError, match="product"):
        tf.matmul(tf.ones([2, 3]), matrix)
    assert layer.get_config().keys().isdisjoint({"arithmetic", "chip"})
