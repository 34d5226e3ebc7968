"""Calls from a worker to its chief that neither hang nor give up at once."""

import os
import time
from collections.abc import Callable
from contextlib import suppress
from typing import Any

import grpc
from keras_tuner.src import protos

from recfactory.errors import UserError

REPORT = "report-bin"
"""Metadata of EndTrial: what has no field there, scores in full precision and the reason of a failure."""
SEARCH = "search"
"""Metadata of every call: the digest of the worker's search."""
START_SECONDS = 300.0
"""How long a worker waits for its chief to start."""
GONE_SECONDS = 20.0
"""How long it waits for a chief that was there, which may be starting again."""
CALL_SECONDS = 3600.0
"""Of one call; the chief may be choosing the paths of a second shot."""
RETRY_SECONDS = 0.5
OPTIONS = (
    ("grpc.keepalive_time_ms", 10_000),
    ("grpc.keepalive_timeout_ms", 20_000),
    ("grpc.keepalive_permit_without_calls", 1),
    ("grpc.max_reconnect_backoff_ms", 1_000),
    ("grpc.enable_http_proxy", 0),
)
"""A chief whose machine is gone is noticed while a call waits for it."""


def chief_address() -> str:
    """Where the chief listens, from keras-tuner's environment variables."""
    return f"{os.environ['KERASTUNER_ORACLE_IP']}:{os.environ['KERASTUNER_ORACLE_PORT']}"


class Wire:
    """Stands for keras-tuner's stub: the same calls, such as `CreateTrial(request)`.

    All calls may be repeated: the chief ignores the second end of a trial and hands a worker the trial that
    it holds.

    Args:
        address: of the chief.
        search: digest of the worker's search.
    """

    def __init__(self, address: str, search: Callable[[], str]) -> None:
        self.address, self.search = address, search
        self._stub = protos.get_service_grpc().OracleStub(grpc.insecure_channel(address, options=OPTIONS))
        self._connected = False

    def __getattr__(self, name: str) -> Callable[..., Any]:
        # Keras-tuner's own client asks for an hour's timeout each time.
        return lambda request, metadata=(), **_: self._call(name, request, metadata)

    def once(self, name: str, request: Any) -> None:
        """A call that is not repeated when it does not work."""
        with suppress(grpc.RpcError):
            self._send(name, request)

    def _send(self, name: str, request: Any, metadata: tuple[Any, ...] = ()) -> Any:
        call = getattr(self._stub, name)
        return call(request, timeout=CALL_SECONDS, metadata=(*metadata, (SEARCH, self.search())))

    def _call(self, name: str, request: Any, metadata: tuple[Any, ...]) -> Any:
        until = time.monotonic() + (GONE_SECONDS if self._connected else START_SECONDS)
        while True:
            try:
                answer = self._send(name, request, metadata)
            except grpc.RpcError as error:
                if error.code() != grpc.StatusCode.UNAVAILABLE:
                    raise UserError(f"the chief at {self.address} says: {error.details()}") from None
            else:
                self._connected = True
                return answer
            if time.monotonic() >= until:
                verb = "no longer answers" if self._connected else "does not answer"
                raise UserError(
                    f"the chief at {self.address} {verb}; start it again, then this worker: nothing that was "
                    "finished is lost"
                )
            time.sleep(RETRY_SECONDS)
