"""The export of a trained model: the same digest whatever happened before."""

import pytest

from recfactory.errors import UserError
from recfactory.files import write_json
from recfactory.saved_model import digest
from serving.trained import export_once, export_trained, first_examples


def test_a_missing_model_is_named(tmp_path):
    with pytest.raises(UserError, match="no trained model"):
        export_trained(tmp_path / "model", tmp_path / "features", tmp_path / "out")
    assert not (tmp_path / "out").exists()


@pytest.fixture(scope="module")
def trained(tmp_path_factory):
    """A model trained for one epoch on synthetic clicks."""
    from pipelines.features import make_features
    from recfactory.training.recipe import Recipe
    from recfactory.training.train import train

    folder = tmp_path_factory.mktemp("trained")
    make_features("synthetic:rows=3000,seed=3", folder / "features")
    train(folder / "features", "dcnv2", folder / "model", Recipe(epochs=1, hidden=(8,), embedding_dim=4))
    return folder


def test_the_same_weights_give_the_same_digest(trained, tmp_path):
    first = export_trained(trained / "model", trained / "features", tmp_path / "a")
    second = export_trained(trained / "model", trained / "features", tmp_path / "b")
    assert digest(first) == digest(second)
    assert (first / "assets.extra" / "schema.yaml").read_text() == (
        trained / "features" / "schema.yaml"
    ).read_text()


def test_a_trained_path_is_exported_like_any_model(trained, tmp_path):
    import tensorflow as tf

    from recfactory.features.spec import read_spec
    from recfactory.space import make_space
    from recfactory.space.sampling import largest
    from recfactory.training.recipe import Recipe
    from recfactory.training.train import train

    sizes = {"blocks": 2, "dense_dims": (8,), "sparse_dims": (4,), "embedding_dim": 4}
    path = largest(make_space(read_spec(trained / "features").layout, **sizes))
    result = train(trained / "features", path, tmp_path / "model", Recipe(epochs=1))
    exported = export_once(tmp_path / "model", trained / "features", tmp_path / "saved_model")
    serve = tf.saved_model.load(str(exported)).signatures["serving_default"]
    examples = tf.constant(first_examples(trained / "features", "valid", 5))
    (predicted,) = serve(examples).values()
    assert predicted.shape[0] == 5
    assert result["macs"] == path.macs


def test_an_export_is_done_once_and_follows_the_training(tmp_path, monkeypatch):
    exported = []

    def export(model, features, out):
        exported.append(model.name)
        out.mkdir()
        return out

    monkeypatch.setattr("serving.trained.export_trained", export)
    for seed in ("seed-0", "seed-1"):
        write_json(tmp_path / seed / "result.json", {"weights_sha256": seed})
    for seed in ("seed-0", "seed-0", "seed-1", "seed-1"):
        export_once(tmp_path / seed, tmp_path, tmp_path / "saved_model")
    assert exported == ["seed-0", "seed-1"]
