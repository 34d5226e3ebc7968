"""Exports what `recfactory train` left in a model folder."""

from itertools import islice
from pathlib import Path

import keras
import tensorflow as tf

from recfactory.errors import UserError
from recfactory.features.spec import read_spec
from serving.export import export

WARMUP_ROWS = 128


def export_trained(model: Path | str, features: Path | str, out: Path | str) -> Path:
    """Exports a trained model with its preprocessing, warmed up by real training examples.

    Args:
        model: the folder that holds model.keras.
        features: the features folder it was trained on.
        out: the SavedModel's folder.

    Returns:
        `out`.

    Raises:
        UserError: when there is no trained model.
    """
    import recfactory.models.registry  # noqa: F401  (its layers are loaded by name)

    path = Path(model) / "model.keras"
    if not path.is_file():
        raise UserError(f"'{model}' holds no model.keras; train one with `recfactory train`")
    trained = keras.models.load_model(path, compile=False)
    return export(trained, read_spec(features), out, first_examples(features, "train", WARMUP_ROWS))


def first_examples(features: Path | str, split: str, count: int) -> list[bytes]:
    """The first raw tf.Examples of a split, at most `count`."""
    paths = sorted(str(path) for path in (Path(features) / "examples" / split).glob("part-*.tfrecord"))
    return [record.numpy() for record in islice(tf.data.TFRecordDataset(paths), count)]
