"""TFRS under Keras 3: what the shim promises."""

import subprocess
import sys

import keras
import keras_rs
import numpy as np
import tensorflow as tf

from recfactory.models.ranker import weighted_logloss
from recfactory.models.tfrs_shim import tensorflow_recommenders


def test_version_is_back_after_the_import() -> None:
    tensorflow_recommenders()
    assert tf.keras.version() == keras.__version__


def test_layers_are_keras_3_and_equal_keras_rs() -> None:
    tfrs = tensorflow_recommenders()
    vectors = [np.random.default_rng(i).normal(size=(4, 3)).astype(np.float32) for i in range(3)]
    theirs = tfrs.layers.feature_interaction.DotInteraction()
    assert isinstance(theirs, keras.layers.Layer)
    np.testing.assert_allclose(theirs(vectors), keras_rs.layers.DotInteraction()(vectors), atol=1e-6)


def test_ranking_task_computes_our_loss() -> None:
    tfrs = tensorflow_recommenders()
    task = tfrs.tasks.Ranking(loss=keras.losses.BinaryCrossentropy(from_logits=True))
    label, logits = np.array([1.0, 0.0, 1.0], np.float32), np.array([0.3, -2.0, -1.0], np.float32)
    np.testing.assert_allclose(task(label, logits), weighted_logloss(label, logits)[0], rtol=1e-6)


def test_without_the_shim_the_import_is_refused() -> None:
    """When this fails, TFRS has learned Keras 3 and the shim can go."""
    done = subprocess.run(
        [sys.executable, "-c", "import tensorflow_recommenders"], capture_output=True, text=True, check=False
    )
    assert done.returncode != 0
    assert "requires tf.keras to be Keras version 2" in done.stderr
