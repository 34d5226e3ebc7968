"""TensorFlow Serving's gRPC services."""

import logging
from collections.abc import Callable
from typing import Any, TypeVar

import grpc
from tensorflow_serving.apis import (
    get_model_metadata_pb2,
    get_model_status_pb2,
    model_pb2,
    model_service_pb2_grpc,
    predict_pb2,
    prediction_service_pb2_grpc,
)

from serving.server.loaded import DEFAULT_SIGNATURE, LoadedModel
from serving.server.refusal import RefusedError, invalid
from serving.server.versions import Versions
from serving.tensors import from_proto, to_proto

log = logging.getLogger("recfactory.serve")

Response = TypeVar("Response")


class PredictionService(prediction_service_pb2_grpc.PredictionServiceServicer):
    """Predict and GetModelMetadata; the rest answers UNIMPLEMENTED.

    Args:
        versions: that answer.
    """

    def __init__(self, versions: Versions) -> None:
        self._versions = versions

    def Predict(  # noqa: N802
        self, request: predict_pb2.PredictRequest, context: grpc.ServicerContext
    ) -> predict_pb2.PredictResponse:
        """Answers a batch."""
        return _answer(context, lambda: self._predict(request))

    def GetModelMetadata(  # noqa: N802
        self, request: get_model_metadata_pb2.GetModelMetadataRequest, context: grpc.ServicerContext
    ) -> get_model_metadata_pb2.GetModelMetadataResponse:
        """Gives a model's signatures."""
        return _answer(context, lambda: metadata(self._versions, request))

    def _predict(self, request: predict_pb2.PredictRequest) -> predict_pb2.PredictResponse:
        spec = request.model_spec
        if not spec.name:
            raise invalid("Missing ModelSpec")
        with self._versions.lease(spec) as (number, model):
            try:
                inputs = {name: from_proto(name, tensor) for name, tensor in request.inputs.items()}
            except ValueError as error:
                raise invalid(str(error)) from None
            outputs = model.predict(spec.signature_name, inputs, request.output_filter)
        response = predict_pb2.PredictResponse()
        response.model_spec.name = spec.name
        response.model_spec.version.value = number
        response.model_spec.signature_name = spec.signature_name or DEFAULT_SIGNATURE
        for name, array in outputs.items():
            response.outputs[name].CopyFrom(to_proto(array))
        return response


class ModelService(model_service_pb2_grpc.ModelServiceServicer):
    """GetModelStatus; configurations are not reloaded.

    Args:
        versions: whose states are told.
    """

    def __init__(self, versions: Versions) -> None:
        self._versions = versions

    def GetModelStatus(  # noqa: N802
        self, request: get_model_status_pb2.GetModelStatusRequest, context: grpc.ServicerContext
    ) -> get_model_status_pb2.GetModelStatusResponse:
        """Gives the state of a model's versions."""
        return _answer(context, lambda: self._versions.status(request.model_spec))


def metadata(
    versions: Versions, request: get_model_metadata_pb2.GetModelMetadataRequest
) -> get_model_metadata_pb2.GetModelMetadataResponse:
    """The signatures of a model.

    Raises:
        RefusedError: when there is no such model, or other metadata are asked for.
    """
    if not request.metadata_field:
        raise invalid("GetModelMetadataRequest must specify at least one metadata_field")
    for field in request.metadata_field:
        if field != "signature_def":
            raise invalid(f"Metadata field {field} is not supported")
    with versions.lease(request.model_spec) as (number, model):
        response = get_model_metadata_pb2.GetModelMetadataResponse(
            model_spec=model_pb2.ModelSpec(name=request.model_spec.name)
        )
        response.model_spec.version.value = number
        response.metadata["signature_def"].Pack(signatures(model))
    return response


def signatures(model: LoadedModel) -> get_model_metadata_pb2.SignatureDefMap:
    """The signatures of a loaded model as a message."""
    found = get_model_metadata_pb2.SignatureDefMap()
    for name, signature in model.signatures.items():
        found.signature_def[name].CopyFrom(signature)
    return found


def _answer(context: grpc.ServicerContext, answer: Callable[[], Response]) -> Response:
    try:
        return answer()
    except RefusedError as refusal:
        code, message = refusal.code, refusal.message
    except Exception as error:  # A client never sees a stack trace.
        log.exception("a gRPC request failed")
        code, message = grpc.StatusCode.INTERNAL, f"the server failed ({type(error).__name__})"
    return _abort(context, code, message)


def _abort(context: Any, code: grpc.StatusCode, message: str) -> Any:
    context.abort(code, message)
