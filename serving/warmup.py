"""The warm-up file: requests a server answers before a model takes traffic.

TensorFlow Serving replays `assets.extra/tf_serving_warmup_requests`, a TFRecord of at most 1000
PredictionLog messages (https://www.tensorflow.org/tfx/serving/saved_model_warmup).
"""

from collections.abc import Iterable, Iterator
from itertools import cycle, islice
from pathlib import Path

import numpy as np
import tensorflow as tf
from tensorflow.core.framework import tensor_pb2
from tensorflow.core.protobuf import saved_model_pb2
from tensorflow_serving.apis import predict_pb2, prediction_log_pb2

from recfactory.errors import UserError
from recfactory.features.graph import input_names
from recfactory.features.spec import FeatureSpec
from serving.tensors import Row, tensors, to_proto

WARMUP = "assets.extra/tf_serving_warmup_requests"
BATCHES = (1, 2, 4, 8, 16, 32, 64, 128)
MOST_RECORDS = 1000


def write_warmup(saved_model: Path, spec: FeatureSpec, examples: Iterable[bytes]) -> None:
    """Adds the warm-up file to a SavedModel: both signatures with batches of 1, 2, 4 ... 128 rows.

    Args:
        saved_model: the SavedModel's folder.
        spec: of the features.
        examples: serialized raw tf.Examples; repeated where there are fewer than a batch needs.

    Raises:
        UserError: when there is no example.
    """
    some = list(islice(examples, max(BATCHES)))
    if not some:
        raise UserError("the export needs at least one example to warm a server up with")
    graph = saved_model_pb2.SavedModel.FromString((saved_model / "saved_model.pb").read_bytes())
    signature = graph.meta_graphs[0].signature_def["predict"]
    path = saved_model / WARMUP
    path.parent.mkdir(exist_ok=True)
    with tf.io.TFRecordWriter(str(path)) as writer:
        for size in BATCHES:
            batch = list(islice(cycle(some), size))
            rows = [_row(spec, example) for example in batch]
            _write(writer, "serving_default", {"examples": to_proto(np.array(batch, dtype=object))})
            columns = {name: to_proto(t) for name, t in tensors(signature, rows).items()}
            _write(writer, "predict", columns)


def read_warmup(saved_model: Path) -> Iterator[predict_pb2.PredictRequest]:
    """Yields the requests of a SavedModel's warm-up file.

    Raises:
        UserError: when the file is missing, damaged, or longer than TensorFlow Serving takes.
    """
    path = saved_model / WARMUP
    if not path.is_file():
        raise UserError(f"the warm-up file '{path}' is missing")
    try:
        for number, record in enumerate(tf.data.TFRecordDataset(str(path)).as_numpy_iterator()):
            if number == MOST_RECORDS:
                raise UserError(f"the warm-up file '{path}' has more than {MOST_RECORDS} records")
            yield prediction_log_pb2.PredictionLog.FromString(record).predict_log.request
    except tf.errors.OpError:
        raise UserError(f"the warm-up file '{path}' is damaged") from None


def _row(spec: FeatureSpec, example: bytes) -> Row:
    features = tf.train.Example.FromString(example).features.feature
    names = input_names(spec.schema.features)
    return {
        name: list(features[column].float_list.value or features[column].bytes_list.value)
        for column, name in names.items()
        if column in features
    }


def _write(writer: tf.io.TFRecordWriter, signature: str, inputs: dict[str, tensor_pb2.TensorProto]) -> None:
    log = prediction_log_pb2.PredictionLog()
    request = log.predict_log.request
    request.model_spec.signature_name = signature
    for name, tensor in inputs.items():
        request.inputs[name].CopyFrom(tensor)
    writer.write(log.SerializeToString(deterministic=True))
