"""Looks at the installation: versions, device, known conflicts."""

import os
import platform
import sys
from importlib import metadata
from typing import Any

PACKAGES = (
    "tensorflow", "keras", "keras-rs", "keras-tuner", "tensorflow-recommenders", "apache-beam", "tfx-bsl",
    "tensorflow-model-analysis", "tensorflow-serving-api", "pyarrow", "numpy", "protobuf", "grpcio",
)  # fmt: skip


def examine() -> dict[str, Any]:
    """Reports versions, device and conflicts.

    Returns:
        `python`, `platform`, `cores`, `packages` (name: version or None), `gpus`, `conflicts` (one sentence
        each, with what to do) and `healthy`.
    """
    versions = {name: _version(name) for name in PACKAGES}
    conflicts = [
        f"{name} is not installed; run `make env`" for name, version in versions.items() if not version
    ]
    if not (3, 11) <= sys.version_info[:2] <= (3, 13):
        conflicts.append(f"Python {platform.python_version()} is not supported; use 3.11 to 3.13")
    conflicts += _pinned_conflicts(versions)
    if os.environ.get("TF_USE_LEGACY_KERAS", "").lower() in ("1", "true"):
        conflicts.append("TF_USE_LEGACY_KERAS is set: layers would train untracked; unset it")
    if os.environ.get("KERAS_BACKEND", "tensorflow") != "tensorflow":
        conflicts.append(
            f"KERAS_BACKEND is {os.environ['KERAS_BACKEND']}; unset it, only tensorflow works here"
        )
    return {
        "python": platform.python_version(),
        "platform": platform.platform(),
        "cores": os.cpu_count(),
        "packages": versions,
        "gpus": _gpus() if versions["tensorflow"] else [],
        "conflicts": conflicts,
        "healthy": not conflicts,
    }


def _version(name: str) -> str | None:
    try:
        return metadata.version(name)
    except metadata.PackageNotFoundError:
        return None


def _pinned_conflicts(versions: dict[str, str | None]) -> list[str]:
    """Where what is installed is not what recfactory was installed to need."""
    found = []
    for requirement in metadata.requires("recfactory") or []:
        name, pinned, wanted = requirement.partition("==")
        installed = versions.get(name)
        if pinned and installed and installed != wanted.split(";")[0].strip():
            found.append(f"{name} is {installed}, tested with {wanted}; run `make env`")
    return found


def _gpus() -> list[str]:
    from recfactory.quiet import import_tensorflow_quietly

    import_tensorflow_quietly()
    import tensorflow as tf

    return [device.name for device in tf.config.list_physical_devices("GPU")]


def format_examination(found: dict[str, Any]) -> str:
    """The report as text for a terminal."""
    lines = [f"Python {found['python']} on {found['platform']}, {found['cores']} cores"]
    lines += [f"  {name:28} {version or 'missing'}" for name, version in found["packages"].items()]
    lines.append(f"GPU: {', '.join(found['gpus']) or 'none (not needed)'}")
    lines += [f"conflict: {conflict}" for conflict in found["conflicts"]] or ["no known conflict"]
    return "\n".join(lines)
