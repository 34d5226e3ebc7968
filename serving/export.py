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
        served = _Served(model, Preprocessor(spec, assets))
        # Saving says on standard output where it saves, which here is a temporary name.
        with contextlib.redirect_stdout(io.StringIO()):
            tf.saved_model.save(served, str(partial), signatures=served.signatures())
        write_schema(partial / SCHEMA, spec.schema)
        write_warmup(partial, spec, examples)
    return out


class _Served(tf.Module):
    """What is saved: the model's weights once, the lookup table, and the functions that use them.

    `keras.export.ExportArchive` saves every weight twice (as the model's and as the endpoints'), in an order
    that differs from run to run.
    """

    def __init__(self, model: keras.Model, preprocessor: Preprocessor) -> None:
        super().__init__()
        self._model = lambda inputs: model(inputs, training=False)
        self.weights = [variable.value for variable in model.weights]
        self.preprocessor = preprocessor

    def signatures(self) -> dict[str, tf.types.experimental.ConcreteFunction]:
        """The function of each signature."""
        examples = tf.TensorSpec([None], tf.string, name=EXAMPLES)
        by_example = tf.function(lambda examples: self._ctr(self.preprocessor.from_examples(examples)))
        by_column = tf.function(lambda columns: self._ctr(self.preprocessor.from_columns(columns)))
        return {
            "serving_default": by_example.get_concrete_function(examples),
            "predict": by_column.get_concrete_function(self.preprocessor.signature()),
        }

    def _ctr(self, inputs: dict[str, tf.Tensor]) -> dict[str, tf.Tensor]:
        return {CTR: tf.reshape(tf.cast(self._model(inputs), tf.float32), [-1])}
