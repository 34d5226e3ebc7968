"""Whether a SavedModel can be evaluated: what its serving signature takes and gives."""

from pathlib import Path

from tensorflow.core.framework import types_pb2
from tensorflow.python.saved_model import loader_impl

from pipelines.evaluation.tfma_config import SIGNATURE
from recfactory.errors import UserError


def check_signature(saved_model: Path) -> None:
    """Checks that the model takes serialized examples and returns `ctr`.

    Args:
        saved_model: the SavedModel's folder.

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
