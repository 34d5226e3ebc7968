"""What identifies a SavedModel."""

import pytest
import tensorflow as tf

from recfactory.errors import UserError
from recfactory.saved_model import digest, saved_model_dir


def save(folder, activation, weight=2.0):
    """Saves a model of one weight."""

    class Model(tf.Module):
        def __init__(self):
            self.weight = tf.Variable(weight)

        @tf.function(input_signature=[tf.TensorSpec([None], tf.float32)])
        def serve(self, x):
            return {"ctr": activation(self.weight * x)}

    model = Model()
    tf.saved_model.save(model, str(folder), signatures={"serving_default": model.serve})
    return digest(folder)


def test_another_graph_or_weight_is_another_model(tmp_path):
    digests = {
        save(tmp_path / "a", tf.nn.relu),
        save(tmp_path / "b", tf.nn.tanh),
        save(tmp_path / "c", tf.nn.relu, weight=3.0),
    }
    assert len(digests) == 3


def test_a_damaged_graph_is_named(tmp_path):
    save(tmp_path / "a", tf.nn.relu)
    (tmp_path / "a" / "saved_model.pb").write_bytes(b"\xff\xff")
    with pytest.raises(UserError, match="is not a SavedModel"):
        digest(tmp_path / "a")


def test_a_model_folder_holds_its_saved_model(tmp_path):
    save(tmp_path / "model" / "saved_model", tf.nn.relu)
    assert saved_model_dir(tmp_path / "model") == tmp_path / "model" / "saved_model"
    assert saved_model_dir(tmp_path / "model" / "saved_model") == tmp_path / "model" / "saved_model"
    with pytest.raises(UserError, match="no model folder"):
        saved_model_dir(tmp_path / "none")
    with pytest.raises(UserError, match="holds no SavedModel"):
        saved_model_dir(tmp_path)
