"""Where a model's SavedModel lies and what identifies it."""

import hashlib
from pathlib import Path

from recfactory.errors import UserError

FOLDER = "saved_model"
GRAPH = "saved_model.pb"
SCHEMA = "assets.extra/schema.yaml"
"""Travels with the model: how the raw rows are written that it was trained on."""
PROVENANCE = "assets.extra/recfactory.json"
"""Written beside a published model: where it comes from and what it was blessed for."""


def saved_model_dir(model: Path | str) -> Path:
    """The SavedModel of a model folder, or the folder itself where it is a SavedModel.

    Raises:
        UserError: when there is none.
    """
    model = Path(model)
    for folder in (model / FOLDER, model):
        if (folder / GRAPH).is_file():
            return folder
    if not model.is_dir():
        raise UserError(f"there is no model folder '{model}'; make one with `recfactory train`")
    raise UserError(f"'{model}' holds no SavedModel; a folder made by `recfactory train` holds one")


def digest(saved_model: Path | str) -> str:
    """The SHA-256 of a SavedModel's content.

    The same model exported by two fresh processes has the same digest: the graph is hashed in a canonical
    serialization, and what differs between equal exports (fingerprint.pb) or is added later stays out.

    Args:
        saved_model: the SavedModel's folder.

    Returns:
        64 hexadecimal digits.

    Raises:
        UserError: when the graph cannot be read.
    """
    folder = Path(saved_model)
    total = hashlib.sha256()
    for path in sorted(path for path in folder.rglob("*") if path.is_file()):
        name = path.relative_to(folder).as_posix()
        if name in ("fingerprint.pb", PROVENANCE):
            continue
        content = _canonical_graph(path) if name == GRAPH else _file_digest(path)
        total.update(f"{name}\0{content}\n".encode())
    return total.hexdigest()


def _file_digest(path: Path) -> str:
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def _canonical_graph(path: Path) -> str:
    from google.protobuf.message import DecodeError
    from tensorflow.core.protobuf import saved_model_pb2

    try:
        graph = saved_model_pb2.SavedModel.FromString(path.read_bytes())
    except DecodeError:
        raise UserError(f"'{path}' is not a SavedModel; export the model again") from None
    return hashlib.sha256(graph.SerializeToString(deterministic=True)).hexdigest()
