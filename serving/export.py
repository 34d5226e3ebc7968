"""Exports a trained model as a SavedModel that takes raw rows: all preprocessing is inside."""

import contextlib
import io
import tempfile
from collections.abc import Iterable
from pathlib import Path

import keras
import tensorflow as tf

from recfactory.features.graph import Preprocessor
from recfactory.features.spec import FeatureSpec
from recfactory.files import whole_folder
from recfactory.saved_model import SCHEMA
from recfactory.schema.yaml_file import write_schema
from serving.warmup import write_warmup

EXAMPLES = "examples"
CTR = "ctr"


def export(model: keras.Model, spec: FeatureSpec, out: Path | str, examples: Iterable[bytes]) -> Path:
    """Writes a SavedModel with the signatures `serving_default` and `predict`, and its warm-up file.

    `serving_default` takes `examples`, `(batch,)` serialized raw tf.Examples; `predict` takes one tensor a
    raw column (see `recfactory.features.graph.Preprocessor.from_columns`). Both return `ctr`, `(batch,)`
    click probabilities.

    Args:
        model: maps `{"numbers", "ids"}` to click probabilities `(batch,)` or `(batch, 1)`.
        spec: of the features the model was trained on.
        out: the SavedModel's folder; must not exist.
        examples: serialized raw tf.Examples to warm a server up with, at least one.

    Returns:
        `out`.
    """
    out = Path(out)
    with whole_folder(out) as partial, tempfile.TemporaryDirectory() as assets:
        preprocessor = Preprocessor(spec, assets)

        def ctr(inputs: dict[str, tf.Tensor]) -> dict[str, tf.Tensor]:
            return {CTR: tf.reshape(tf.cast(model(inputs, training=False), tf.float32), [-1])}

        archive = keras.export.ExportArchive()
        archive.track(model)
        archive.track(preprocessor)
        archive.add_endpoint(
            "serving_default",
            lambda examples: ctr(preprocessor.from_examples(examples)),
            [tf.TensorSpec([None], tf.string, name=EXAMPLES)],
        )
        archive.add_endpoint(
            "predict", lambda columns: ctr(preprocessor.from_columns(columns)), [preprocessor.signature()]
        )
        with contextlib.redirect_stdout(io.StringIO()):
            archive.write_out(str(partial), verbose=False)
        write_schema(partial / SCHEMA, spec.schema)
        write_warmup(partial, spec, examples)
    return out
