"""Whether a SavedModel can be evaluated: what its serving signature takes and gives."""

import re
from pathlib import Path

import tensorflow as tf
from tensorflow.core.framework import types_pb2
from tensorflow.python.saved_model import loader_impl

from pipelines.evaluation.tfma_config import SIGNATURE
from recfactory.errors import UserError
from recfactory.saved_model import SCHEMA
from recfactory.schema.columns import Schema
from recfactory.schema.yaml_file import read_schema


def check_signature(saved_model: Path, examples: list[tf.train.Example]) -> None:
    """Checks that the model takes serialized examples, can read these, and returns `ctr`.

    Inside TFMA the same failure would come late and bring every example of a batch into its message.

    Args:
        saved_model: the SavedModel's folder.
        examples: some of those it will be evaluated on.

    Raises:
        UserError: naming the folder and what is wrong.
    """
    try:
        graphs = loader_impl.parse_saved_model(str(saved_model)).meta_graphs
    except (OSError, ValueError) as error:
        raise UserError(
            f"'{saved_model}' is damaged: {str(error).splitlines()[0]}; export the model again"
        ) from error
    signatures = graphs[0].signature_def if graphs else {}
    if SIGNATURE not in signatures:
        raise UserError(f"'{saved_model}' has no signature '{SIGNATURE}'; export the model again")
    inputs, outputs = signatures[SIGNATURE].inputs, signatures[SIGNATURE].outputs
    if len(inputs) != 1 or next(iter(inputs.values())).dtype != types_pb2.DT_STRING:
        raise UserError(
            f"'{saved_model}': its signature '{SIGNATURE}' does not take serialized examples alone"
        )
    if "ctr" not in outputs:
        given = ", ".join(sorted(outputs)) or "nothing"
        raise UserError(f"'{saved_model}': its signature '{SIGNATURE}' returns {given}, not ctr")
    try:
        loaded = tf.saved_model.load(str(saved_model))
    except (OSError, tf.errors.OpError) as error:
        raise UserError(
            f"'{saved_model}' cannot be loaded; export the model again ({_first(error)})"
        ) from error
    serialized = tf.constant([example.SerializeToString() for example in examples])
    try:
        given = loaded.signatures[SIGNATURE](**{next(iter(inputs)): serialized})["ctr"]
    except tf.errors.OpError as error:
        missing = re.search(r"Feature: (.*?)(?: is required|\.|\n)", str(error))
        reason = f"feature {missing[1]} is missing" if missing else _first(error)
        raise UserError(
            f"'{saved_model}' cannot read these examples ({reason}); take examples of its own schema"
        ) from error
    if tf.size(given) != len(examples):
        raise UserError(
            f"'{saved_model}': 'ctr' has the shape {tuple(given.shape)} for {len(examples)} examples"
        )


def check_columns(saved_model: Path, schema: Schema) -> None:
    """Checks that the examples have the model's columns: one that is absent counts as missing in every row.

    Args:
        saved_model: the SavedModel's folder; passed over where it does not say what it reads.
        schema: of the examples.

    Raises:
        UserError: naming the first column that the examples lack.
    """
    if not (saved_model / SCHEMA).is_file():
        return
    held = {*schema.features, *schema.slices}
    for name in read_schema(saved_model / SCHEMA).features:
        if name not in held:
            raise UserError(
                f"'{saved_model}' reads the column '{name}', which these examples do not have; "
                "take examples of its own schema"
            )


def _first(error: Exception) -> str:
    return str(error).strip().splitlines()[0]
