"""TensorFlow Serving's REST interface."""

import json
import logging
import re

import grpc
from google.protobuf import json_format
from starlette.applications import Starlette
from starlette.concurrency import run_in_threadpool
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route
from tensorflow.core.protobuf import meta_graph_pb2
from tensorflow_serving.apis import model_pb2

from serving.server.grpc_services import signatures
from serving.server.loaded import LoadedModel
from serving.server.refusal import HTTP_STATUS, LARGEST_MESSAGE, RefusedError, invalid
from serving.server.rest_json import read_request, write_answer
from serving.server.versions import Versions

log = logging.getLogger("recfactory.serve")

_MODEL = r"/v1/models/(?P<name>[^/:]+)(?:/versions/(?P<version>\d+)|/labels/(?P<label>[^/:]+))?"
_PREDICT = re.compile(_MODEL + r":(?P<method>classify|regress|predict)", re.IGNORECASE)
_STATUS = re.compile(_MODEL + r"(?P<metadata>/metadata)?", re.IGNORECASE)


def rest_app(versions: Versions) -> Starlette:
    """The web application that answers for `versions`."""

    async def endpoint(request: Request) -> Response:
        body = bytearray()
        async for part in request.stream():
            body += part
            if len(body) > LARGEST_MESSAGE:
                content = json.dumps({"error": f"the request has more than {LARGEST_MESSAGE} bytes"}).encode()
                return Response(content, 413, media_type="application/json")
        status, content = await run_in_threadpool(
            _respond, versions, request.method, request.url.path, bytes(body)
        )
        return Response(content, status, media_type="application/json")

    return Starlette(
        routes=[Route("/{path:path}", endpoint, methods=["GET", "POST", "PUT", "DELETE", "PATCH"])]
    )


def _respond(versions: Versions, method: str, path: str, body: bytes) -> tuple[int, bytes]:
    try:
        return 200, _answer(versions, method, path, body)
    except RefusedError as refusal:
        status, message = HTTP_STATUS.get(refusal.code, 500), refusal.message
    except Exception as error:  # A client never sees a stack trace.
        log.exception("a REST request failed")
        status, message = 500, f"the server failed ({type(error).__name__})"
    return status, json.dumps({"error": message}).encode()


def _answer(versions: Versions, method: str, path: str, body: bytes) -> bytes:
    match = (_PREDICT if method == "POST" else _STATUS).fullmatch(path)
    if match is None or method not in ("GET", "POST"):
        raise invalid(f"Malformed request: {method} {path}")
    spec = _spec(match)
    if method == "POST":
        if match["method"].lower() != "predict":
            raise RefusedError(
                grpc.StatusCode.UNIMPLEMENTED, f"{match['method']} is not implemented; use predict"
            )
        return _predict(versions, spec, body)
    if match["metadata"]:
        return _metadata(versions, spec)
    return _json(versions.status(spec)).encode()


def _spec(match: re.Match[str]) -> model_pb2.ModelSpec:
    spec = model_pb2.ModelSpec(name=match["name"])
    if match["version"]:
        if int(match["version"]) >= 2**63:
            raise invalid(f"Failed to convert version: {match['version']} to numeric.")
        spec.version.value = int(match["version"])
    elif match["label"]:
        spec.version_label = match["label"]
    return spec


def _predict(versions: Versions, spec: model_pb2.ModelSpec, body: bytes) -> bytes:
    with versions.lease(spec) as (_, model):
        request = read_request(body, lambda name: _signature(model, name))
        outputs = model.predict(request.signature, request.inputs)
    return write_answer(outputs, request.by_row)


def _signature(model: LoadedModel, name: str) -> meta_graph_pb2.SignatureDef:
    try:
        return model.signature(name)
    except RefusedError:
        raise invalid(f'Serving signature name: "{name}" not found in signature def') from None


def _metadata(versions: Versions, spec: model_pb2.ModelSpec) -> bytes:
    with versions.lease(spec) as (number, model):
        named = {"name": spec.name, "signature_name": "", "version": str(number)}
        found = json.loads(_json(signatures(model)))
    return json.dumps({"model_spec": named, "metadata": {"signature_def": found}}, indent=1).encode()


def _json(message: object) -> str:
    return json_format.MessageToJson(
        message,  # type: ignore[arg-type]
        preserving_proto_field_name=True,
        always_print_fields_with_no_presence=True,
    )
