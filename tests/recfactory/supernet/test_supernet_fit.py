"""The supernet as a Keras model: compile, fit, callbacks, evaluate, predict, saving and going on."""

import keras
import numpy as np
import pytest
from nets import LAYOUT, batch, loss_of, random_paths, small_space

from recfactory.models.sparse_update import SparseAdagrad, SparseAdam
from recfactory.space.genes import encode
from recfactory.supernet.samplers import ChosenPaths, FullWarmup, RandomPaths, Sandwich
from recfactory.supernet.supernet import Supernet

SPACE = small_space(blocks=2)
PATH = random_paths(SPACE, 3)[2]
DATA = batch(60)
SAMPLERS = {"random": RandomPaths(3), "sandwich after warm-up": FullWarmup(Sandwich(RandomPaths(3)), 8, 3)}


def make(sampler=SAMPLERS["random"], optimizer=SparseAdagrad, seed=1):
    keras.utils.set_random_seed(seed)
    net = Supernet(SPACE, LAYOUT, sampler, embedding_l2=0.01, clip_norm=1.0)
    net.compile(optimizer(keras.optimizers.schedules.CosineDecay(0.05, 20)))
    return net


def fit(net, epochs=1, **options):
    inputs, label, weight = DATA
    options = {"batch_size": 10, "shuffle": False, "verbose": 0, **options}
    return net.fit(inputs, label, sample_weight=weight, epochs=epochs, **options)


def everything(net):
    (optimizer,) = net.optimizers()
    return [np.asarray(variable) for variable in [*net.variables, *optimizer.variables]]


def same(net, other):
    for ours, theirs in zip(everything(net), everything(other), strict=True):
        np.testing.assert_array_equal(ours, theirs)


def test_fit_learns():
    net = make(ChosenPaths(1, encode([PATH]).tolist()))
    before = loss_of(net, PATH, DATA)
    history = fit(net, epochs=6).history["loss"]
    assert history[-1] < history[0]
    assert loss_of(net, PATH, DATA) < before
    assert int(net.steps) == 36


def test_evaluate_and_predict_run_the_path():
    net = make()
    net.compile(SparseAdagrad(0.1), weighted_metrics=[keras.metrics.AUC(name="auc")])
    inputs, label, weight = DATA
    for path in random_paths(SPACE, 3):
        net.path = path
        measured = net.evaluate(inputs, label, 7, sample_weight=weight, verbose=0, return_dict=True)
        assert measured["loss"] == pytest.approx(loss_of(net, path, DATA), rel=1e-4)
        assert 0.0 < measured["auc"] < 1.0
        predicted = net.predict(inputs, batch_size=7, verbose=0)
        np.testing.assert_allclose(predicted, net(inputs, path=path), atol=1e-6)


def test_evaluate_needs_a_path_and_fit_a_sampler_and_an_optimizer():
    inputs, label, _ = DATA
    with pytest.raises(ValueError, match="say which path to run"):
        make().evaluate(inputs, label, verbose=0)
    net = Supernet(SPACE, LAYOUT)
    with pytest.raises(ValueError, match="sparse optimizer"):
        net.optimizers()
    net.compile(SparseAdagrad(0.1))
    with pytest.raises(ValueError, match="paths of a sampler"):
        fit(net)


def test_callbacks(tmp_path):
    net = make()
    net.path = PATH
    seen = []
    count = keras.callbacks.LambdaCallback(on_train_batch_end=lambda batch, logs: seen.append(logs["loss"]))
    keep = keras.callbacks.ModelCheckpoint(tmp_path / "{epoch}.keras")
    fit(net, epochs=2, callbacks=[count, keep], validation_data=DATA)
    assert len(seen) == 12
    kept = keras.models.load_model(tmp_path / "2.keras")
    same(kept, net)


def test_a_seed_decides_everything():
    one, again, other = make(), make(), make(seed=2)
    for net in (one, again, other):
        fit(net)
    same(one, again)
    assert not np.array_equal(one.embedding.table, other.embedding.table)


@pytest.mark.parametrize("optimizer", [SparseAdagrad, SparseAdam])
@pytest.mark.parametrize("sampler", SAMPLERS.values(), ids=SAMPLERS.keys())
def test_a_loaded_supernet_predicts_and_goes_on_as_if_it_had_never_stopped(sampler, optimizer, tmp_path):
    net = make(sampler, optimizer)
    fit(net)
    net.save(tmp_path / "net.keras")
    again = keras.models.load_model(tmp_path / "net.keras")
    assert again.sampler == sampler
    assert (again.space, again.layout) == (net.space, net.layout)
    assert (again.embedding_l2, again.clip_norm) == (0.01, 1.0)
    same(again, net)
    inputs = DATA[0]
    for path in random_paths(SPACE, 4):
        np.testing.assert_array_equal(again(inputs, path=path), net(inputs, path=path))
    fit(net)
    fit(again)
    assert int(again.steps) == int(again.optimizer.iterations) == 12
    same(again, net)


def test_a_supernet_without_optimizer_saves_and_loads(tmp_path):
    net = Supernet(SPACE, LAYOUT)
    net.save(tmp_path / "net.keras")
    again = keras.models.load_model(tmp_path / "net.keras")
    assert again.sampler is None
    inputs = DATA[0]
    np.testing.assert_array_equal(again(inputs, path=PATH), net(inputs, path=PATH))


@pytest.mark.parametrize("optimizer", [SparseAdagrad, SparseAdam])
def test_supernets_of_several_widths_train_in_one_process(optimizer):
    for width in (8, 16, 4):
        net = Supernet(small_space(blocks=1, embedding_dim=width), LAYOUT, RandomPaths(1))
        net.compile(optimizer(0.01))
        assert np.isfinite(fit(net).history["loss"][-1])


def test_fit_measures_what_the_user_asks_for():
    net = make()
    net.compile(SparseAdagrad(0.1), weighted_metrics=[keras.metrics.AUC(name="auc")])
    assert 0.0 < fit(net).history["auc"][-1] < 1.0


def test_evaluation_of_a_certain_prediction_is_finite():
    net = make()
    (head,) = (part for part in net.elastic if part.part.role == "head")
    head.set_weights([1e6 * weight for weight in head.get_weights()])
    net.path = PATH
    inputs, label, _ = DATA
    assert np.isfinite(net.evaluate(inputs, label, verbose=0)).all()
