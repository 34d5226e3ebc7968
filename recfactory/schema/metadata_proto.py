"""The schema as TensorFlow Metadata's Schema proto, which TFX tools read, and back.

The proto lists the features of the raw tf.Examples. What it has no field for stands in annotations: a tag
says a feature's role, and a Struct in `extra_metadata` its options, so that the way back loses nothing.
"""

from collections.abc import Iterable
from typing import Any

from google.protobuf import json_format, struct_pb2
from tensorflow_metadata.proto.v0 import schema_pb2

from recfactory.errors import UserError, did_you_mean
from recfactory.schema.columns import RESERVED, Categorical, Dense, Label, Schema
from recfactory.schema.infer_roles import CLICKS
from recfactory.schema.yaml_file import schema_from_dict, schema_to_dict

SECTIONS = ("dense", "categorical", "multivalued")
SEPARATOR = "|"
"""For multi-valued features of other makers, whose protos know lists and no text files."""


def to_proto(schema: Schema) -> schema_pb2.Schema:
    """Converts a schema; `from_proto` gives it back as it was.

    Returns:
        A proto with a FLOAT feature a dense column, a BYTES feature a categorical or slice column, and the
        roles as `label`, `weight`, `truth` (FLOAT) and `timestamp` (INT).
    """
    values = schema_to_dict(schema)
    proto = schema_pb2.Schema()
    for section in SECTIONS:
        columns = values.pop(section, {})
        for name in columns:
            options = columns[name] if isinstance(columns, dict) else {}
            kind = schema_pb2.FLOAT if section == "dense" else schema_pb2.BYTES
            feature = _add(proto, name, kind, section, always=False)
            feature.value_count.min = 1
            if section == "dense" or options.get("separator") is None:
                feature.value_count.max = 1
            if options:
                _attach(feature.annotation, options)
    for name in dict.fromkeys(schema.slices):
        if name not in set(schema.features):
            _add(proto, name, schema_pb2.BYTES, "slice", always=False).value_count.max = 1
    for role in RESERVED:
        if getattr(schema, role) is not None:
            kind = schema_pb2.INT if role == "timestamp" else schema_pb2.FLOAT
            feature = _add(proto, role, kind, role, always=True)
            feature.shape.dim.add(size=1)
            if role != "timestamp":
                feature.float_domain.min = 0.0
            if role in ("label", "truth"):
                feature.float_domain.max = 1.0
    if "values" in values["split"]:
        # A Struct keeps no order of keys.
        values["split"]["values"] = [list(pair) for pair in schema.split.values]
    _attach(proto.annotation, values)
    return proto


def from_proto(proto: schema_pb2.Schema, label: str | None = None) -> Schema:
    """Converts a proto that `to_proto` made, or one of another maker such as TFDV.

    Of another maker's features FLOAT and INT become standardized numbers, BYTES and INT marked as categorical
    become categorical; those named weight, timestamp and truth take these roles.

    Args:
        proto: the schema.
        label: the label's feature, needed where another maker's proto has none with a usual name.

    Raises:
        UserError: when the label is not found or no feature is left.
    """
    values = _attached(proto.annotation)
    if values is None:
        return _foreign(proto, label)
    for section in SECTIONS:
        values[section] = {
            feature.name: _attached(feature.annotation) or {}
            for feature in proto.feature
            if section in feature.annotation.tag
        }
    if "values" in values["split"]:
        values["split"]["values"] = dict(values["split"]["values"])
    return schema_from_dict(values, "schema proto")


def _add(proto: schema_pb2.Schema, name: str, kind: int, tag: str, *, always: bool) -> Any:
    feature = proto.feature.add(name=name, type=kind)
    feature.presence.min_count = 1 if always else 0
    feature.presence.min_fraction = 1.0 if always else 0.0
    feature.annotation.tag.append(tag)
    return feature


def _attach(annotation: schema_pb2.Annotation, values: dict[str, Any]) -> None:
    struct = struct_pb2.Struct()
    struct.update(values)
    annotation.extra_metadata.add().Pack(struct)


def _attached(annotation: schema_pb2.Annotation) -> dict[str, Any] | None:
    for packed in annotation.extra_metadata:
        struct = struct_pb2.Struct()
        if packed.Unpack(struct):
            return dict(_whole(json_format.MessageToDict(struct)))
    return None


def _whole(value: Any) -> Any:
    """A Struct holds doubles only: gives whole numbers back as such."""
    if isinstance(value, dict):
        return {key: _whole(inner) for key, inner in value.items()}
    if isinstance(value, list):
        return [_whole(inner) for inner in value]
    return int(value) if isinstance(value, float) and value.is_integer() else value


def _foreign(proto: schema_pb2.Schema, label: str | None) -> Schema:
    features = {feature.name: feature for feature in proto.feature if _usable(feature)}
    label = _foreign_label(features, label)
    dense, categorical = [], []
    for name, feature in features.items():
        if name == label or name in RESERVED:
            continue
        if feature.type == schema_pb2.BYTES or feature.int_domain.is_categorical:
            most = feature.value_count.max or 16
            several = feature.HasField("value_count") and feature.value_count.max != 1
            categorical.append(
                Categorical(name, separator=SEPARATOR, max_values=most) if several else Categorical(name)
            )
        else:
            dense.append(Dense(name, "standardize"))
    weight, timestamp, truth = (
        role if role in features and role != label else None for role in ("weight", "timestamp", "truth")
    )
    return Schema(
        "proto",
        Label(label),
        tuple(dense),
        tuple(categorical),
        weight=weight,
        timestamp=timestamp,
        truth=truth,
    )


def _usable(feature: schema_pb2.Feature) -> bool:
    stages = schema_pb2.LifecycleStage
    unused = (stages.PLANNED, stages.DEPRECATED, stages.DISABLED, stages.DEBUG_ONLY)
    kinds = (schema_pb2.FLOAT, schema_pb2.INT, schema_pb2.BYTES)
    return not feature.deprecated and feature.lifecycle_stage not in unused and feature.type in kinds


def _foreign_label(features: Iterable[str], label: str | None) -> str:
    names = list(features)
    found = label if label is not None else next((name for name in CLICKS if name in names), None)
    if found is None:
        raise UserError(
            f"the schema proto does not say which feature is the label; name one of {', '.join(names)}"
        )
    if found not in names:
        raise UserError(
            f"the schema proto has no feature '{found}'{did_you_mean(found, names)}; there are "
            f"{', '.join(names)}"
        )
    return found
