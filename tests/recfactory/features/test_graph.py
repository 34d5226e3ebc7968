import math

import numpy as np
import pyarrow as pa
import pytest
import tensorflow as tf
from hypothesis import given, settings
from hypothesis import strategies as st

from recfactory.features.encode import Encoder
from recfactory.features.graph import MISSING, Preprocessor, input_names
from recfactory.features.spec import FeatureSpec
from recfactory.schema.columns import Categorical, Dense, Label, Schema

VALUES = {"c v": (b"red", b"green", b"with\rreturn", b"\xff\xfe"), "tags": (b"a", b"b", b"red")}


@pytest.fixture(scope="module")
def spec():
    schema = Schema(
        name="tiny",
        label=Label("click"),
        dense=(Dense("plain"), Dense("logged", "log"), Dense("scaled", "standardize")),
        categorical=(
            Categorical("c v"),
            Categorical("hashed", encoding="hash", buckets=7),
            Categorical("tags", separator="|", max_values=3, oov_buckets=4),
        ),
    )
    statistics = {"dense": {"scaled": {"mean": 2.0, "std": 4.0}}, "categorical": {"tags": {"slots": 3}}}
    return FeatureSpec(schema, VALUES, statistics)


@pytest.fixture(scope="module")
def preprocessor(spec, tmp_path_factory):
    return Preprocessor(spec, tmp_path_factory.mktemp("assets"))


def example(**features):
    out = tf.train.Example()
    for name, values in features.items():
        name = "c v" if name == "cv" else name
        feature = out.features.feature[name]
        feature.SetInParent()
        if name in ("plain", "logged", "scaled"):
            feature.float_list.value.extend(values)
        else:
            feature.bytes_list.value.extend(values)
    return out.SerializeToString()


def encode(preprocessor, *examples):
    encoded = tf.function(preprocessor.from_examples)(tf.constant(list(examples), tf.string))
    return encoded["numbers"].numpy(), encoded["ids"].numpy()


def reference(spec, name, value):
    """Global id of one value, written straight from the rules."""
    place = [column.name for column in spec.schema.categorical].index(name)
    column, field = spec.schema.categorical[place], spec.layout.fields[place]
    if not value:
        return field.offset
    if column.encoding == "vocabulary" and value in spec.vocabularies[name]:
        return field.offset + 1 + column.oov_buckets + spec.vocabularies[name].index(value)
    buckets = column.buckets if column.encoding == "hash" else column.oov_buckets
    return field.offset + 1 + int(tf.strings.to_hash_bucket_fast(value, buckets))


def test_dense_columns_are_transformed_and_missing_is_zero(preprocessor):
    numbers, _ = encode(
        preprocessor,
        example(plain=[1.5], logged=[math.e - 1], scaled=[6.0]),
        example(plain=[], logged=[-3.0]),
        example(plain=[0.0], logged=[1e-20]),
    )
    assert numbers.dtype == np.float32
    np.testing.assert_array_equal(
        numbers, np.array([[1.5, 1.0, 1.0], [0, 0, 0], [0, 1e-20, 0]], dtype=np.float32)
    )


def test_ids_follow_the_rules(spec, preprocessor):
    singles = [b"", *VALUES["c v"], b"unseen", b"re", b"red\r", b"a"]
    tags = [[], [b"red"], [b"", b"b", b"", b"zzz", b"a", b"red"], [b"yy", b"xx"]]
    rows = [(single, single, tags[i % len(tags)]) for i, single in enumerate(singles)]
    _, ids = encode(preprocessor, *(example(cv=[v], hashed=[h], tags=t) for v, h, t in rows))
    expected = []
    for value, hashed, many in rows:
        kept = ([tag for tag in many if tag] + [b""] * 3)[:3]
        expected.append(
            [
                reference(spec, "c v", value),
                reference(spec, "hashed", hashed),
                *(reference(spec, "tags", tag) for tag in kept),
            ]
        )
    np.testing.assert_array_equal(ids, expected)
    assert ids.dtype == np.int32


def test_columns_and_examples_agree(preprocessor):
    rows = [([1.0], [b"red"], [b"x"], [b"a", b"b"]), ([], [], [], []), ([3.0], [b"?"], [b""], [b"b"])]
    from_examples = encode(
        preprocessor, *(example(plain=d, logged=d, scaled=d, cv=c, hashed=h, tags=t) for d, c, h, t in rows)
    )
    number = tf.constant([[(d or [MISSING])[0]] for d, *_ in rows])
    columns = {
        **dict.fromkeys(("plain", "logged", "scaled"), number),
        "c v": tf.constant([[(c or [b""])[0]] for _, c, *_ in rows]),
        "hashed": tf.constant([[(h or [b""])[0]] for _, _, h, _ in rows]),
        "tags": tf.constant([(t + [b""] * 5)[:5] for *_, t in rows]),
    }
    encoded = preprocessor.from_columns(columns)
    np.testing.assert_array_equal(encoded["numbers"].numpy(), from_examples[0])
    np.testing.assert_array_equal(encoded["ids"].numpy(), from_examples[1])


def test_multivalued_of_no_width(preprocessor):
    assert list(preprocessor.signature()) == ["plain", "logged", "scaled", "c v", "hashed", "tags"]
    number, text = tf.constant([[1.0]]), tf.constant([["red"]])
    columns = dict.fromkeys(("plain", "logged", "scaled"), number) | dict.fromkeys(("c v", "hashed"), text)
    encoded = preprocessor.from_columns({**columns, "tags": tf.zeros([1, 0], tf.string)})
    assert encoded["ids"].shape == (1, 5)


@pytest.mark.parametrize("value", [math.nan, math.inf, -math.inf])
def test_what_is_not_finite_is_refused_by_name(preprocessor, value):
    with pytest.raises(
        tf.errors.InvalidArgumentError, match=r"dense column logged is -?(nan|inf) in row 1 of"
    ):
        encode(preprocessor, example(logged=[1.0]), example(logged=[value], scaled=[math.nan]))


def test_only_hashed_columns_need_no_table(tmp_path):
    schema = Schema("h", Label("y"), categorical=(Categorical("u", encoding="hash", buckets=10),))
    preprocessor = Preprocessor(FeatureSpec(schema, {}, {"categorical": {}}), tmp_path)
    encoded = preprocessor.from_columns({"u": tf.constant([["a"], [""]])})
    assert preprocessor.table is None
    assert encoded["numbers"].shape == (2, 0)
    assert encoded["ids"].numpy()[1, 0] == 0


def test_a_value_listed_twice_is_refused(tmp_path):
    schema = Schema("h", Label("y"), categorical=(Categorical("u"),))
    with pytest.raises(ValueError, match="twice"):
        Preprocessor(FeatureSpec(schema, {"u": (b"a", b"a")}, {}), tmp_path)


WORDS = [b"", b"red", b"green", b"with\rreturn", b"\xff\xfe", b"a", b"b", b"unseen", b"\x00", b"re d"]
NUMBERS = st.one_of(
    st.none(),
    st.floats(-(2.0**100), 2.0**100, width=32, allow_subnormal=False),
    st.sampled_from([0.0, -1.0, 1e-30]),
)
ROWS = st.tuples(
    NUMBERS,
    NUMBERS,
    NUMBERS,
    st.sampled_from(WORDS),
    st.sampled_from(WORDS),
    st.lists(st.sampled_from(WORDS[1:]), max_size=5),
)


@settings(max_examples=30)
@given(rows=st.lists(ROWS, min_size=1, max_size=20))
def test_it_equals_the_arrow_encoder(spec, preprocessor, rows):
    dense = ("plain", "logged", "scaled")
    columns = {name: pa.array([row[place] for row in rows], pa.float32()) for place, name in enumerate(dense)}
    for place, name in ((3, "c v"), (4, "hashed")):
        columns[name] = pa.array([row[place] or None for row in rows], pa.binary())
    columns["tags"] = pa.array([row[5] or None for row in rows], pa.list_(pa.binary()))
    columns["label"] = pa.array([0.0] * len(rows), pa.float32())
    encoded = Encoder(spec).encode(pa.RecordBatch.from_pydict(columns))
    numbers, ids = encode(
        preprocessor,
        *(
            example(
                **{name: [] if row[place] is None else [row[place]] for place, name in enumerate(dense)},
                cv=[row[3]],
                hashed=[row[4]],
                tags=row[5],
            )
            for row in rows
        ),
    )
    np.testing.assert_array_equal(ids, encoded.ids)
    np.testing.assert_array_equal(numbers, encoded.dense)


def test_names_of_inputs_are_valid_and_distinct():
    names = input_names(["price", "Price", "user id", "user_id", "1st", "_x", "é", "", "class"])
    assert names == {
        "price": "price",
        "Price": "Price_1",
        "user id": "user_id",
        "user_id": "user_id_1",
        "1st": "c1st",
        "_x": "c_x",
        "é": "c_",
        "": "c",
        "class": "class_",
    }


def test_widths_are_known_before_any_row_is(tmp_path):
    schema = Schema(
        "shop", Label("click"), (Dense("price"),), (Categorical("tags", separator="|", max_values=3),)
    )
    statistics = {"dense": {"price": {"mean": 0.0, "std": 1.0}}, "categorical": {"tags": {"slots": 3}}}
    preprocessor = Preprocessor(FeatureSpec(schema, {"tags": (b"a",)}, statistics), tmp_path)
    graph = tf.function(preprocessor.from_examples).get_concrete_function(tf.TensorSpec([None], tf.string))
    shapes = {name: tensor.shape.as_list() for name, tensor in graph.structured_outputs.items()}
    assert shapes == {"numbers": [None, 1], "ids": [None, 3]}
