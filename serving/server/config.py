"""Which models are served from where, and which of their versions."""

import re
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path

from google.protobuf import text_format
from tensorflow_serving.config import model_server_config_pb2

from recfactory.errors import UserError

Policy = Callable[[list[int]], list[int]]
"""Chooses the versions to serve among those on disk, both ascending."""


def latest(count: int) -> Policy:
    """The policy that serves the `count` highest versions."""
    return lambda versions: versions[-count:]


LATEST = latest(1)


@dataclass(frozen=True)
class ModelConfig:
    """One served model.

    Args:
        name: clients ask for.
        base: the folder that holds the version folders.
        policy: TensorFlow Serving's default, unless told, is the latest version.
        labels: version of each label.
    """

    name: str
    base: Path
    policy: Policy = LATEST
    labels: dict[str, int] = field(default_factory=dict)


def versions_of(base: Path) -> dict[int, Path]:
    """The version folders under `base`, ascending; a partly written one has another name."""
    if not base.is_dir():
        return {}
    found = [path for path in base.iterdir() if re.fullmatch(r"[0-9]{1,18}", path.name) and path.is_dir()]
    return {int(path.name): path for path in sorted(found, key=lambda path: int(path.name))}


def models_under(folder: Path) -> list[ModelConfig]:
    """The models of MODEL_BASE_DIR: its subfolders with versions, or itself where it holds the versions."""
    folder = folder.resolve()
    if versions_of(folder):
        return [ModelConfig(folder.name, folder)]
    if not folder.is_dir():
        return []
    return [ModelConfig(path.name, path) for path in sorted(folder.iterdir()) if versions_of(path)]


def read_config(path: Path) -> list[ModelConfig]:
    """Reads TensorFlow Serving's model server configuration.

    Args:
        path: a `model_server_config.proto` in text format; a relative `base_path` is relative to it.

    Raises:
        UserError: when it cannot be read or names no model.
    """
    try:
        text = path.read_text(encoding="utf-8")
        config = text_format.Parse(text, model_server_config_pb2.ModelServerConfig())
    except (OSError, UnicodeDecodeError) as error:
        raise UserError(f"cannot read the model server config '{path}' ({error})") from None
    except text_format.ParseError as error:
        raise UserError(f"'{path}' is not a model server config: {error}") from None
    entries = list(config.model_config_list.config)
    names = [entry.name for entry in entries]
    if not entries:
        raise UserError(f"'{path}' names no model; write a model_config_list")
    if len(set(names)) < len(names) or "" in names:
        raise UserError(f"'{path}': every model needs a name of its own")
    return [
        ModelConfig(
            entry.name,
            path.parent / entry.base_path,
            _policy(entry.model_version_policy),
            dict(entry.version_labels),
        )
        for entry in entries
    ]


def _policy(policy: object) -> Policy:
    kind = policy.WhichOneof("policy_choice")  # type: ignore[attr-defined]
    if kind == "all":
        return lambda versions: versions
    if kind == "specific":
        wanted = set(policy.specific.versions)  # type: ignore[attr-defined]
        return lambda versions: [version for version in versions if version in wanted]
    return latest(policy.latest.num_versions or 1)  # type: ignore[attr-defined]
