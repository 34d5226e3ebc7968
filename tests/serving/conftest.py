import os

os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "2")

import shutil

import keras
import numpy as np
import pytest
import tensorflow as tf

from recfactory.features.spec import FeatureSpec
from recfactory.files import write_json
from recfactory.saved_model import digest
from recfactory.schema.columns import Categorical, Dense, Label, Schema
from serving.export import export

VOCABULARIES = {"user id": tuple(b"u%d" % i for i in range(50)), "tags": (b"a", b"b", b"c")}


@pytest.fixture(scope="session")
def spec():
    schema = Schema(
        name="tiny",
        label=Label("click"),
        dense=(Dense("price", "log"), Dense("age", "standardize")),
        categorical=(
            Categorical("user id", oov_buckets=3),
            Categorical("page", encoding="hash", buckets=20),
            Categorical("tags", separator="|", max_values=4),
        ),
    )
    statistics = {"dense": {"age": {"mean": 30.0, "std": 12.0}}, "categorical": {"tags": {"slots": 2}}}
    return FeatureSpec(schema, VOCABULARIES, statistics)


@pytest.fixture(scope="session")
def rows():
    """1000 raw rows with missing and unseen values; values by column."""
    random = np.random.default_rng(0)
    made = []
    for _ in range(1000):
        row = {
            "price": [float(np.float32(random.exponential(20)))],
            "age": [float(random.integers(10, 80))],
            "user id": [b"u%d" % random.integers(70)],
            "page": [b"p%d" % random.integers(100)],
            "tags": [bytes([value]) for value in random.choice(list(b"abcd"), random.integers(4))],
        }
        for name in row:
            if random.random() < 0.1:
                row[name] = []
        made.append(row)
    return made


@pytest.fixture(scope="session")
def examples(rows):
    """The rows as serialized raw tf.Examples."""
    serialized = []
    for row in rows:
        example = tf.train.Example()
        for name, values in row.items():
            if not values:
                continue
            feature = example.features.feature[name]
            kind = feature.float_list if name in ("price", "age") else feature.bytes_list
            kind.value.extend(values)
        serialized.append(example.SerializeToString(deterministic=True))
    return serialized


@pytest.fixture(scope="session")
def make_model(spec):
    def make(seed):
        keras.utils.set_random_seed(seed)
        layout = spec.layout
        numbers = keras.Input((len(layout.dense),), name="numbers")
        ids = keras.Input((layout.slots,), dtype="int32", name="ids")
        table = keras.layers.Embedding(layout.table_rows, 4, embeddings_initializer="normal")
        joined = keras.layers.Concatenate()([numbers, keras.layers.Flatten()(table(ids))])
        hidden = keras.layers.Dense(16, activation="relu")(joined)
        ctr = keras.layers.Dense(1, activation="sigmoid")(hidden)
        return keras.Model({"numbers": numbers, "ids": ids}, ctr)

    return make


@pytest.fixture(scope="session")
def model(make_model):
    return make_model(1)


@pytest.fixture(scope="session")
def saved_model(model, spec, examples, tmp_path_factory):
    return export(model, spec, tmp_path_factory.mktemp("exported") / "saved_model", examples)


@pytest.fixture(scope="session")
def other_saved_model(make_model, spec, examples, tmp_path_factory):
    """A model with other weights."""
    return export(make_model(2), spec, tmp_path_factory.mktemp("other") / "saved_model", examples)


@pytest.fixture(scope="session")
def expected(model, spec, examples, tmp_path_factory):
    """The model's own probabilities of the examples."""
    from recfactory.features.graph import Preprocessor

    inputs = Preprocessor(spec, tmp_path_factory.mktemp("assets")).from_examples(tf.constant(examples))
    return model.predict(inputs, batch_size=256, verbose=0).ravel()


@pytest.fixture(scope="session")
def server(saved_model, tmp_path_factory):
    """A server of version 1 of the model `ctr`."""
    from serving.server.serve import Server

    folder = tmp_path_factory.mktemp("models")
    shutil.copytree(saved_model, folder / "ctr" / "1")
    with Server(folder, grpc_port=0, rest_port=0, max_batch=256) as running:
        yield running


@pytest.fixture
def base(saved_model, tmp_path):
    """MODEL_BASE_DIR with version 1 of the model `ctr`."""
    shutil.copytree(saved_model, tmp_path / "models" / "ctr" / "1")
    return tmp_path / "models"


@pytest.fixture
def bless(tmp_path):
    """Writes an evaluation that blesses a SavedModel, or does not."""

    def write(saved_model, blessed=True, reasons=()):
        folder = tmp_path / f"evaluation-{digest(saved_model)[:8]}-{blessed}"
        content = {"blessed": blessed, "reasons": list(reasons), "model_digest": digest(saved_model)}
        write_json(folder / "blessing.json", content)
        return folder

    return write
