"""Every model by name: training, shapes, saving, and the parts of a step."""

from pathlib import Path

import keras
import numpy as np
import pytest
import tensorflow as tf

from recfactory.features.layout import Layout, make_layout
from recfactory.models.ranker import Ranker, weighted_logloss
from recfactory.models.registry import MODELS, build
from recfactory.models.sparse_update import SparseAdagrad, SparseAdam

LAYOUTS = {
    "both": make_layout(("x", "y"), [("a", 1, 6), ("m", 3, 9)]),
    "dense only": make_layout(("x", "y"), []),
    "categorical only": make_layout((), [("a", 1, 6), ("b", 1, 4), ("c", 1, 5)]),
    "one column": make_layout((), [("a", 1, 6)]),
}
SMALL = {"hidden": (8, 4), "bottom": (4,), "embedding_dim": 4}


def rows(layout: Layout, count: int, seed: int = 0) -> tuple[dict[str, np.ndarray], np.ndarray, np.ndarray]:
    random = np.random.default_rng(seed)
    ids = [random.integers(f.offset, f.offset + f.size, (count, f.slots)) for f in layout.fields]
    inputs = {
        "numbers": random.normal(size=(count, len(layout.dense))).astype(np.float32),
        "ids": np.concatenate([np.zeros((count, 0)), *ids], axis=1).astype(np.int32),
    }
    label = (random.random(count) < 0.4).astype(np.float32)
    return inputs, label, random.choice([0.5, 2.0], count).astype(np.float32)


def compiled(name: str, layout: Layout, **hyperparameters: object) -> Ranker:
    keras.utils.set_random_seed(3)
    ranker = build(name, layout, {**SMALL, **hyperparameters})
    ranker.compile(keras.optimizers.Adam(0.01), SparseAdam(0.01))
    return ranker


@pytest.mark.parametrize("layout", LAYOUTS.values(), ids=LAYOUTS.keys())
@pytest.mark.parametrize("name", MODELS)
def test_trains_on_any_layout(name: str, layout: Layout) -> None:
    ranker = compiled(name, layout)
    inputs, label, weight = rows(layout, 64)
    history = ranker.fit(inputs, label, sample_weight=weight, batch_size=16, epochs=6, verbose=0)
    losses = history.history["loss"]
    assert losses[-1] < losses[0]
    predicted = ranker.predict(inputs, batch_size=63, verbose=0)  # the last batch holds one row
    assert predicted.shape == (64,)
    assert np.all((predicted > 0) & (predicted < 1))


@pytest.mark.parametrize("name", MODELS)
def test_saves_and_loads(name: str, tmp_path: Path) -> None:
    layout = LAYOUTS["both"]
    ranker = compiled(name, layout, dropout=0.0)
    inputs, label, weight = rows(layout, 32)
    ranker.fit(inputs, label, sample_weight=weight, batch_size=16, verbose=0)
    ranker.save(tmp_path / "m.keras")
    again = keras.models.load_model(tmp_path / "m.keras")
    np.testing.assert_array_equal(again.predict(inputs, verbose=0), ranker.predict(inputs, verbose=0))
    for model in (ranker, again):  # the optimizers' slots came along
        model.fit(inputs, label, batch_size=32, verbose=0, shuffle=False)
    np.testing.assert_allclose(again.embedding.table.numpy(), ranker.embedding.table.numpy(), atol=1e-7)


@pytest.mark.parametrize("name", MODELS)
def test_exports(name: str, tmp_path: Path) -> None:
    layout = LAYOUTS["both"]
    ranker = build(name, layout, SMALL)
    inputs, _, _ = rows(layout, 5)
    archive = keras.export.ExportArchive()
    archive.track(ranker)
    signature = {
        "numbers": tf.TensorSpec([None, 2], tf.float32, name="numbers"),
        "ids": tf.TensorSpec([None, layout.slots], tf.int32, name="ids"),
    }
    archive.add_endpoint("serve", lambda inputs: ranker(inputs), input_signature=[signature])
    archive.write_out(str(tmp_path / "saved"), verbose=False)
    loaded = tf.saved_model.load(str(tmp_path / "saved"))
    for count in (5, 1):
        part = {key: tf.constant(value[:count]) for key, value in inputs.items()}
        np.testing.assert_allclose(loaded.serve(part), ranker(part), atol=1e-6)


def test_loss_is_the_weighted_mean_of_keras() -> None:
    random = np.random.default_rng(0)
    logits, label = (
        random.normal(size=50).astype(np.float32) * 5,
        (random.random(50) < 0.5).astype(np.float32),
    )
    weight = random.random(50).astype(np.float32)
    each = keras.ops.binary_crossentropy(label, logits, from_logits=True).numpy()
    loss, total = weighted_logloss(label, logits, weight)
    assert float(total) == pytest.approx(weight.sum(), rel=1e-6)
    assert float(loss) == pytest.approx(np.average(each, weights=weight), rel=1e-5)
    assert float(weighted_logloss(label, logits, np.zeros(50, np.float32))[0]) == 0.0


def test_evaluate_is_weighted_and_knows_metrics() -> None:
    layout = LAYOUTS["both"]
    ranker = build("mlp", layout, SMALL)
    auc = keras.metrics.AUC(name="auc")
    ranker.compile(keras.optimizers.Adam(), SparseAdam(), weighted_metrics=[auc])
    inputs, label, weight = rows(layout, 50)
    measured = ranker.evaluate(inputs, label, sample_weight=weight, batch_size=7, verbose=0, return_dict=True)
    loss, _ = weighted_logloss(label, ranker.logits(inputs), weight)
    assert measured["loss"] == pytest.approx(float(loss), rel=1e-5)
    assert 0 < measured["auc"] < 1


@pytest.mark.parametrize(("l2", "clip"), [(0.0, 0.0), (0.5, 0.0), (0.5, 0.01)])
def test_step_equals_a_dense_step(l2: float, clip: float) -> None:
    """Our step against one tape over all variables, with Keras' dense Adagrad on the whole table."""
    layout = LAYOUTS["both"]
    inputs, label, weight = rows(layout, 40)
    ours, reference = (
        build("dcnv2", layout, {**SMALL, "dropout": 0.0, "embedding_l2": l2, "clip_norm": clip})
        for _ in range(2)
    )
    reference.set_weights(ours.get_weights())
    ours.compile(keras.optimizers.Adagrad(0.1), SparseAdagrad(0.1))
    ours.train_on_batch(inputs, label, sample_weight=weight)

    touched = np.unique(inputs["ids"])
    table, others = reference.embedding.table, reference.tower.trainable_variables
    with tf.GradientTape() as tape:
        value = table.value.read_value()
        tape.watch(value)
        vectors = reference.embedding.pool(tf.gather(value, inputs["ids"]), inputs["ids"])
        logits = tf.squeeze(reference.tower([inputs["numbers"], vectors], training=True), axis=1)
        loss, _ = weighted_logloss(label, logits, weight)
        decay = 0.5 * l2 * tf.reduce_sum(tf.square(tf.gather(value, touched)))
        objective = loss + decay
    gradients = [tf.convert_to_tensor(g) for g in tape.gradient(objective, [value, *others])]
    if clip:
        gradients, _ = tf.clip_by_global_norm(gradients, clip)
    keras.optimizers.Adagrad(0.1).apply(gradients, [table, *others])
    for mine, theirs in zip(ours.get_weights(), reference.get_weights(), strict=True):
        np.testing.assert_allclose(mine, theirs, atol=2e-6)


def test_training_needs_both_optimizers() -> None:
    ranker = build("mlp", LAYOUTS["both"], SMALL)
    ranker.compile(keras.optimizers.Adam())
    with pytest.raises(ValueError, match="two optimizers"):
        ranker.optimizers()


def test_the_prior_is_added_to_every_logit(tmp_path: Path) -> None:
    layout = LAYOUTS["both"]
    plain, shifted = build("mlp", layout, SMALL), build("mlp", layout, SMALL, prior=-1.5)
    inputs, *_ = rows(layout, 8)
    np.testing.assert_allclose(shifted.logits(inputs), plain.logits(inputs) - 1.5, rtol=1e-6)
    shifted.save(tmp_path / "model.keras")
    loaded = keras.models.load_model(tmp_path / "model.keras")
    np.testing.assert_array_equal(loaded.logits(inputs), shifted.logits(inputs))
