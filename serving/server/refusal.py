"""Requests the server refuses, with TensorFlow Serving's codes."""

import re

import grpc
import tensorflow as tf

LONGEST = 500
LARGEST_MESSAGE = 64 << 20
"""Bytes a request may have over gRPC or REST."""

HTTP_STATUS = {
    grpc.StatusCode.INVALID_ARGUMENT: 400,
    grpc.StatusCode.FAILED_PRECONDITION: 400,
    grpc.StatusCode.OUT_OF_RANGE: 400,
    grpc.StatusCode.NOT_FOUND: 404,
    grpc.StatusCode.RESOURCE_EXHAUSTED: 429,
    grpc.StatusCode.INTERNAL: 500,
    grpc.StatusCode.UNIMPLEMENTED: 501,
    grpc.StatusCode.UNAVAILABLE: 503,
}
"""As tensorflow_serving/model_servers/http_server.cc translates them."""

_CODES = {code.value[0]: code for code in grpc.StatusCode}


class RefusedError(Exception):
    """A request that is not answered.

    Args:
        code: TensorFlow Serving's.
        message: one sentence.
    """

    def __init__(self, code: grpc.StatusCode, message: str) -> None:
        super().__init__(message)
        self.code = code
        self.message = message


def invalid(message: str) -> RefusedError:
    """An INVALID_ARGUMENT."""
    return RefusedError(grpc.StatusCode.INVALID_ARGUMENT, message)


def not_found(message: str) -> RefusedError:
    """A NOT_FOUND."""
    return RefusedError(grpc.StatusCode.NOT_FOUND, message)


def refusal_of(error: tf.errors.OpError) -> RefusedError:
    """What TensorFlow refused, in one sentence without the names of graph nodes."""
    code = _CODES.get(error.error_code, grpc.StatusCode.INTERNAL)
    return RefusedError(code, sentence(error.message or str(error)))


def sentence(message: str) -> str:
    """The first line of a TensorFlow message, or what its assertion says."""
    message = message.removeprefix("Graph execution error:").strip()
    asserted = re.search(r"assertion failed: \[(.*?)\]\s*(?:\n|$)", message, re.DOTALL)
    text = asserted[1] if asserted else message.split("\n")[0]
    text = re.sub(r"\{\{function_node [^}]*\}\}|\[\[\{\{node.*", "", text)
    text = "".join(char if char.isprintable() else f"\\x{ord(char):02x}" for char in " ".join(text.split()))
    return text if len(text) <= LONGEST else text[: LONGEST - 3] + "..."
