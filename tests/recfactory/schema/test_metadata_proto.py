import pytest
from google.protobuf import text_format
from hypothesis import given
from schema_strategy import schemas
from tensorflow_metadata.proto.v0 import schema_pb2

from recfactory.errors import UserError
from recfactory.schema import PRESETS, Categorical, Dense, Label, preset
from recfactory.schema.metadata_proto import from_proto, to_proto

FOREIGN = """
feature { name: "age" type: FLOAT presence { min_count: 1 } }
feature { name: "hits" type: INT value_count { min: 1 max: 1 } }
feature { name: "shop" type: INT int_domain { is_categorical: true } }
feature { name: "city" type: BYTES shape { dim { size: 1 } } }
feature { name: "tags" type: BYTES value_count { min: 1 max: 4 } }
feature { name: "old" type: FLOAT lifecycle_stage: DEPRECATED }
feature { name: "weight" type: FLOAT }
feature { name: "bought" type: INT }
"""


@given(schemas())
def test_the_way_there_and_back_loses_nothing(schema):
    proto = to_proto(schema)
    parsed = schema_pb2.Schema.FromString(proto.SerializeToString())
    assert from_proto(parsed) == schema


@pytest.mark.parametrize("name", PRESETS)
def test_presets_survive_even_as_text(name):
    text = text_format.MessageToString(to_proto(preset(name)))
    assert from_proto(text_format.Parse(text, schema_pb2.Schema())) == preset(name)


def test_the_features_are_those_of_the_raw_examples():
    features = {feature.name: feature for feature in to_proto(preset("movielens")).feature}
    kinds = {name: schema_pb2.FeatureType.Name(feature.type) for name, feature in features.items()}
    assert kinds["age"] == kinds["label"] == "FLOAT"
    assert kinds["user_id"] == kinds["class"] == "BYTES"
    assert kinds["timestamp"] == "INT"
    assert "rating" not in kinds
    assert features["user_id"].value_count.max == 1
    assert features["class"].value_count.max == 0
    assert features["label"].presence.min_fraction == 1
    assert features["age"].annotation.tag == ["dense"]


def test_a_proto_of_another_maker():
    schema = from_proto(text_format.Parse(FOREIGN, schema_pb2.Schema()), label="bought")
    assert schema.label == Label("bought")
    assert schema.dense == (Dense("age", "standardize"), Dense("hits", "standardize"))
    assert schema.categorical == (
        Categorical("shop"),
        Categorical("city"),
        Categorical("tags", separator="|", max_values=4),
    )
    assert schema.weight == "weight"


def test_another_makers_proto_needs_a_label():
    proto = text_format.Parse(FOREIGN, schema_pb2.Schema())
    with pytest.raises(UserError, match="does not say which feature is the label"):
        from_proto(proto)
    with pytest.raises(UserError, match="no feature 'bougt'; did you mean 'bought'"):
        from_proto(proto, "bougt")
