"""An ordinary keras-tuner user: a HyperModel over the genes, and hyperparameters of the user's own."""

import keras
import keras_tuner as kt
import numpy as np
import pytest
from small_search import SPACE, evolution, told

from recfactory.space.hyperparameters import from_hyperparameters
from recfactory.tuner.loop import Tuner
from recfactory.tuner.one_shot import ParetoOracle


class MyModel(kt.HyperModel):
    """The path's numbers from blocks of the user's own, small enough for a test."""

    def build(self, hp):
        path = from_hyperparameters(SPACE, hp)
        rate = hp.Float("rate", 0.01, 0.5, default=0.1)
        layers = [keras.layers.Dense(block.dense_dim, "relu") for block in path.blocks]
        if hp.Choice("head", ["plain", "scaled"], default="scaled") == "scaled":
            layers.append(keras.layers.Rescaling(hp.Fixed("scale", 0.5)))
        model = keras.Sequential([keras.Input((2,)), *layers, keras.layers.Dense(1, "sigmoid")])
        model.compile(
            keras.optimizers.SGD(rate), "binary_crossentropy", metrics=[keras.metrics.AUC(name="auc")]
        )
        return model


def data():
    rng = np.random.default_rng(0)
    x = rng.normal(size=(40, 2)).astype(np.float32)
    return {"x": x, "y": (x[:, 0] > 0).astype(np.float32), "validation_data": (x, (x[:, 0] > 0) * 1.0)}


def search(kind, folder, oracle):
    tuner = kind(oracle=oracle, hypermodel=MyModel(), directory=str(folder), project_name="mine")
    tuner.search(**data(), epochs=2, verbose=0)
    return tuner


def test_a_hypermodel_over_the_genes(tmp_path):
    oracle = evolution(objective=kt.Objective("val_loss", "min"), max_trials=2)
    tuner = search(kt.Tuner, tmp_path, oracle)
    found = told(tuner.oracle)
    assert len(found) == 2
    assert all({"val_loss", "val_auc", "macs"} <= set(scores) for _, _, scores, _ in found)
    best = tuner.get_best_hyperparameters()[0]
    assert best.values["rate"] == 0.1
    model = tuner.get_best_models()[0]
    widths = [block.dense_dim for block in from_hyperparameters(SPACE, best).blocks]
    assert [layer.units for layer in model.layers if isinstance(layer, keras.layers.Dense)] == [*widths, 1]
    assert min(scores["val_loss"] for *_, scores, _ in found) == pytest.approx(
        model.evaluate(*data()["validation_data"], verbose=0)[0], rel=1e-5
    )
    # A second run of the same lines finds it done.
    again = search(Tuner, tmp_path, evolution(objective=kt.Objective("val_loss", "min"), max_trials=2))
    assert told(again.oracle) == found


def test_several_objectives_of_a_fit(tmp_path):
    """Macs are measured by the oracle; the first objective tells one epoch from another."""
    tuner = search(Tuner, tmp_path, ParetoOracle(SPACE, ["val_auc", "macs"], max_trials=2))
    assert all(scores["macs"] > 0 and 0 <= scores["val_auc"] <= 1 for _, _, scores, _ in told(tuner.oracle))
    assert tuner.get_best_hyperparameters(2)


def test_a_full_disk_ends_the_search_and_fails_no_trial(tmp_path, monkeypatch):
    def full(*_, **__):
        raise OSError("no space left on device")

    with monkeypatch.context() as patch:
        patch.setattr(MyModel, "build", full)
        with pytest.raises(OSError, match="no space left"):
            search(Tuner, tmp_path, ParetoOracle(SPACE, ["val_auc", "macs"], max_trials=2))
    found = told(search(Tuner, tmp_path, ParetoOracle(SPACE, ["val_auc", "macs"], max_trials=2)).oracle)
    assert len(found) == 2
    assert all(scores for _, _, scores, _ in found)
