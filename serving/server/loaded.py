"""A SavedModel in memory, answering as TensorFlow Serving does: through a session, feeding and fetching."""

import os
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import grpc
import numpy.typing as npt
import tensorflow as tf
from tensorflow.core.protobuf import meta_graph_pb2

from serving.server.refusal import RefusedError, invalid, refusal_of, sentence
from serving.tensors import from_proto
from serving.warmup import read_warmup

Arrays = dict[str, npt.NDArray[Any]]

DEFAULT_SIGNATURE = "serving_default"


class LoadedModel:
    """A SavedModel in memory.

    Args:
        folder: of the SavedModel.
        max_batch: most rows a request may hold.
    """

    def __init__(self, folder: Path, max_batch: int) -> None:
        self._folder = folder
        self._max_batch = max_batch
        threads = os.cpu_count() or 1
        options = tf.compat.v1.ConfigProto(
            intra_op_parallelism_threads=threads,
            inter_op_parallelism_threads=threads,
            use_per_session_threads=True,
        )
        graph = tf.Graph()
        self._session = tf.compat.v1.Session(graph=graph, config=options)
        try:
            with graph.as_default():
                meta = tf.compat.v1.saved_model.load(self._session, ["serve"], str(folder))
        except BaseException:
            self._session.close()
            raise
        self.signatures: dict[str, meta_graph_pb2.SignatureDef] = {
            name: signature
            for name, signature in meta.signature_def.items()
            if not name.startswith("__saved_model")
        }
        self._calls = {name: self._call(graph, signature) for name, signature in self.signatures.items()}

    def _call(self, graph: tf.Graph, signature: meta_graph_pb2.SignatureDef) -> Any:
        fetches = [
            graph.get_tensor_by_name(signature.outputs[name].name) for name in sorted(signature.outputs)
        ]
        feeds = [graph.get_tensor_by_name(signature.inputs[name].name) for name in sorted(signature.inputs)]
        return self._session.make_callable(fetches, feeds)

    def signature(self, name: str) -> meta_graph_pb2.SignatureDef:
        """The signature called `name`, `serving_default` for an empty name.

        Raises:
            RefusedError: when the model has no such signature.
        """
        name = name or DEFAULT_SIGNATURE
        if name not in self.signatures:
            # The code TensorFlow Serving's predict_util.cc answers with.
            raise RefusedError(
                grpc.StatusCode.FAILED_PRECONDITION, f'Serving signature key "{name}" not found.'
            )
        return self.signatures[name]

    def predict(
        self, signature_name: str, inputs: Mapping[str, npt.NDArray[Any]], wanted: Sequence[str] = ()
    ) -> Arrays:
        """Answers one request.

        Args:
            signature_name: empty for `serving_default`.
            inputs: the tensor of each input, rows first.
            wanted: names of outputs; all of them when empty.

        Returns:
            The tensor of each output.

        Raises:
            RefusedError: when the inputs do not fit the signature or the model refuses a value.
        """
        signature = self.signature(signature_name)
        _check_inputs(signature, inputs, self._max_batch)
        for name in wanted:
            if name not in signature.outputs:
                raise invalid(
                    f"output tensor alias not found in signature: {name} Outputs expected to be in the set "
                    f"{{{','.join(sorted(signature.outputs))}}}."
                )
        try:
            values = self._calls[signature_name or DEFAULT_SIGNATURE](
                *(inputs[name] for name in sorted(inputs))
            )
        except tf.errors.OpError as error:
            raise refusal_of(error) from None
        except UnicodeDecodeError as error:
            # TensorFlow's Python cannot show a message that quotes bytes of the request.
            raise invalid(sentence(error.object.decode("utf-8", "backslashreplace"))) from None
        outputs = dict(zip(sorted(signature.outputs), values, strict=True))
        return {name: outputs[name] for name in wanted} if wanted else outputs

    def warm(self) -> int:
        """Answers the requests of the model's warm-up file.

        Returns:
            Their number.

        Raises:
            UserError: when the file is missing or damaged.
            RefusedError: when the model does not answer one of them.
        """
        count = 0
        for request in read_warmup(self._folder):
            inputs = {name: from_proto(name, tensor) for name, tensor in request.inputs.items()}
            self.predict(request.model_spec.signature_name, inputs)
            count += 1
        return count

    def close(self) -> None:
        """Frees the model; it must not be in use."""
        self._calls.clear()
        self._session.close()


def _check_inputs(
    signature: meta_graph_pb2.SignatureDef, inputs: Mapping[str, npt.NDArray[Any]], max_batch: int
) -> None:
    if inputs.keys() != signature.inputs.keys():
        sent, needed = set(inputs), set(signature.inputs)
        raise invalid(
            f"input size does not match signature: {len(sent)}!={len(needed)} len({_braced(sent)}) != "
            f"len({_braced(needed)}). Sent extra: {_braced(sent - needed)}. "
            f"Missing but required: {_braced(needed - sent)}."
        )
    rows: int | None = None
    for name, info in signature.inputs.items():
        array, dims = inputs[name], info.tensor_shape.dim
        expected = tf.dtypes.as_dtype(info.dtype)
        if array.dtype != expected.as_numpy_dtype:
            raise invalid(
                f"input '{name}' must be {expected.name}, not {tf.dtypes.as_dtype(array.dtype).name}."
            )
        if len(array.shape) != len(dims) or any(
            dim.size not in (-1, size) for dim, size in zip(dims, array.shape, strict=True)
        ):
            shape = ",".join("?" if dim.size < 0 else str(dim.size) for dim in dims)
            got = ",".join(str(size) for size in array.shape)
            raise invalid(f"input '{name}' must have the shape [{shape}], not [{got}].")
        rows = array.shape[0] if rows is None else rows
        if array.shape[0] != rows:
            raise invalid(
                f"the inputs differ in their number of rows: '{name}' has {array.shape[0]}, not {rows}."
            )
    if rows is not None and not 1 <= rows <= max_batch:
        raise invalid(f"the batch has {rows} rows; send 1 to {max_batch}.")


def _braced(names: set[str]) -> str:
    return "{" + ",".join(sorted(names)) + "}"
