"""The versions a server knows, and which of them answer."""

import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass

import grpc
from tensorflow_serving.apis import get_model_status_pb2, model_pb2

from serving.server.loaded import LoadedModel
from serving.server.refusal import invalid, not_found

State = get_model_status_pb2.ModelVersionStatus.State
START, LOADING, AVAILABLE, UNLOADING, END = (
    State.Value(name) for name in ("START", "LOADING", "AVAILABLE", "UNLOADING", "END")
)


@dataclass
class Version:
    """One version of a model.

    Args:
        state: of TensorFlow Serving's states.
        model: while it is AVAILABLE or UNLOADING.
        code: gRPC code of what went wrong, OK where nothing did.
        error: what went wrong.
        users: requests it is answering.
    """

    state: int
    model: LoadedModel | None = None
    code: grpc.StatusCode = grpc.StatusCode.OK
    error: str = ""
    users: int = 0


class Versions:
    """Every version of every model, safe to use from many threads."""

    def __init__(self) -> None:
        self._models: dict[str, dict[int, Version]] = {}
        self._labels: dict[str, dict[str, int]] = {}
        self._changed = threading.Condition()

    def set_labels(self, name: str, labels: dict[str, int]) -> None:
        """Replaces the labels of a model."""
        with self._changed:
            self._labels[name] = labels

    def mark(self, name: str, number: int, state: int) -> None:
        """Notes the state of a version that does not answer yet."""
        with self._changed:
            self._models.setdefault(name, {})[number] = Version(state)

    def fail(self, name: str, number: int, code: grpc.StatusCode, error: str) -> None:
        """Notes that a version could not be loaded."""
        with self._changed:
            self._models.setdefault(name, {})[number] = Version(END, None, code, error)

    def publish(self, name: str, number: int, model: LoadedModel) -> None:
        """Lets a warm version answer."""
        with self._changed:
            self._models.setdefault(name, {})[number] = Version(AVAILABLE, model)

    def retire(self, name: str, number: int) -> None:
        """Takes a version out of service, waits for the requests it is answering, and frees it."""
        with self._changed:
            version = self._models[name][number]
            version.state = UNLOADING
            self._changed.wait_for(lambda: version.users == 0)
            model, version.model = version.model, None
        if model is not None:
            model.close()
        with self._changed:
            version.state = END

    def available(self, name: str) -> list[int]:
        """The versions of a model that answer, ascending."""
        with self._changed:
            versions = self._models.get(name, {})
            return sorted(number for number, version in versions.items() if version.state == AVAILABLE)

    def names(self) -> list[str]:
        """The models with a version that answers."""
        return sorted(name for name in list(self._models) if self.available(name))

    def failures(self) -> list[str]:
        """What went wrong, one sentence a version."""
        with self._changed:
            return [
                f"{name} version {number}: {version.error}"
                for name, versions in sorted(self._models.items())
                for number, version in sorted(versions.items())
                if version.error
            ]

    @contextmanager
    def lease(self, spec: model_pb2.ModelSpec) -> Iterator[tuple[int, LoadedModel]]:
        """Yields the version a request asks for; it stays loaded until the block ends.

        Raises:
            RefusedError: when there is no such model, version or label.
        """
        with self._changed:
            number = self._resolve(spec)
            version = self._models[spec.name][number]
            version.users += 1
        try:
            assert version.model is not None
            yield number, version.model
        finally:
            with self._changed:
                version.users -= 1
                self._changed.notify_all()

    def status(self, spec: model_pb2.ModelSpec) -> get_model_status_pb2.GetModelStatusResponse:
        """The state of a model's versions, highest first, or of the one asked for.

        Raises:
            RefusedError: when there is no such model, version or label.
        """
        response = get_model_status_pb2.GetModelStatusResponse()
        with self._changed:
            versions = self._models.get(spec.name, {})
            number = self._number(spec)
            if number is not None and number not in versions:
                raise not_found(f"Could not find version {number} of model {spec.name}")
            if not versions:
                raise not_found(f"Could not find any versions of model {spec.name}")
            for found, version in sorted(versions.items(), reverse=True):
                if number in (None, found):
                    entry = response.model_version_status.add(version=found, state=version.state)
                    entry.status.error_code = version.code.value[0]
                    entry.status.error_message = version.error
        return response

    def _number(self, spec: model_pb2.ModelSpec) -> int | None:
        choice = spec.WhichOneof("version_choice")
        if choice == "version":
            return int(spec.version.value)
        if choice == "version_label":
            labels = self._labels.get(spec.name, {})
            if spec.version_label not in labels:
                raise invalid(f"Unrecognized servable version label: {spec.version_label}")
            return labels[spec.version_label]
        return None

    def _resolve(self, spec: model_pb2.ModelSpec) -> int:
        versions = self._models.get(spec.name, {})
        number = self._number(spec)
        if number is not None:
            if number in versions and versions[number].state == AVAILABLE:
                return number
            raise not_found(f"Servable not found for request: Specific({spec.name}, {number})")
        found = [number for number, version in versions.items() if version.state == AVAILABLE]
        if not found:
            raise not_found(f"Servable not found for request: Latest({spec.name})")
        return max(found)
