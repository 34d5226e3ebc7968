import subprocess
import sys

import pytest

from recfactory.errors import UserError
from recfactory.features.layout import make_layout
from recfactory.schema import Categorical, Dense, Label, Schema
from recfactory.space import Space, make_space


def test_presets():
    columns = Schema("s", Label("y"), (Dense("a"), Dense("b")), (Categorical("c"),))
    full, small = make_space(columns), make_space(columns, "small", blocks=3)
    assert full == Space(2, 1)
    assert (full.blocks, full.max_sources, full.embedding_dim, full.merger_tokens) == (7, 4, 16, 8)
    assert full.dense_operators == ("fc", "gating", "sum", "dot_product")
    assert full.sparse_operators == ("efc", "attention")
    assert (small.blocks, small.dense_operators, small.sparse_operators) == (
        3,
        ("fc", "dot_product"),
        ("efc",),
    )


def test_a_space_of_a_layout_without_dense_columns_reads_the_fields():
    space = make_space(make_layout((), [("a", 10, 1), ("b", 20, 1)]))
    assert (space.numbers, space.fields, space.raw_dense, space.raw_width) == (0, 2, "fields", 32)


@pytest.mark.parametrize(("raw", "width"), [("numbers", 3), ("fields", 32), ("both", 35)])
def test_numbers_of_source_0(raw, width):
    space = Space(3, 2, raw_dense=raw, dense_dims=(8, 16))
    assert (space.raw_width, space.widest) == (width, max(width, 16))
    raw_axis, block = space.width_of(0, 0), space.width_of(1, 8)
    assert (raw_axis.size, raw_axis.full) == (width, width)
    assert (block.size, block.full, block.unit) == (8, 16, 8)


def test_both_ways():
    space = Space(3, 2, blocks=2, dense_operators=("sum",), dense_dims=(7, 9), raw_dense="both")
    assert Space.from_dict(space.to_dict()) == space
    assert hash(Space.from_dict(space.to_dict())) == hash(space)


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"blocks": 0}, "blocks must be a whole number of at least 1, not 0"),
        ({"blocks": "7"}, "blocks must be a whole number of at least 1, not '7'"),
        ({"max_sources": 2.5}, "max_sources must be a whole number"),
        ({"embedding_dim": True}, "embedding_dim must be a whole number"),
        ({"fields": 0}, "fields must be a whole number of at least 1"),
        ({"numbers": -1}, "numbers must be a whole number of at least 0"),
        ({"dense_dims": [32, 16]}, r"dense_dims must be a list of whole numbers, ascending, not \(32, 16\)"),
        ({"dense_dims": [16, 16]}, "dense_dims must be"),
        ({"dense_dims": 16}, "dense_dims must be"),
        ({"sparse_dims": []}, "sparse_dims must be"),
        ({"sparse_dims": [0, 4]}, "sparse_dims must be"),
        ({"sparse_dims": ["a"]}, "sparse_dims must be"),
        ({"dense_operators": "fc"}, "dense_operators must be names of operators, one or more"),
        ({"dense_operators": [["fc"]]}, "dense_operators must be names of operators, one or more"),
        ({"dense_operators": []}, "dense_operators must be names of operators, one or more"),
        ({"dense_operators": ["fc", "fc"]}, "a name stands there twice"),
        ({"dense_operators": ["efc"]}, "'efc' makes the sparse stream; it cannot stand in dense_operators"),
        ({"sparse_operators": ["efx"]}, "there is no operator 'efx'.*did you mean 'efc'"),
        ({"raw_dense": "all"}, "raw_dense must be numbers, fields or both, not 'all'"),
        ({"numbers": 0}, "no dense columns.*raw_dense: fields"),
        ({"block": 3}, "unknown key 'block'; did you mean 'blocks'"),
    ],
)
def test_a_wrong_space_is_told_in_one_sentence(changes, message):
    with pytest.raises(UserError, match=message) as told:
        Space.from_dict({"numbers": 3, "fields": 2, **changes})
    assert "\n" not in str(told.value)


@pytest.mark.parametrize(
    ("values", "message"), [({"numbers": 3}, "space: fields is missing"), ([1], "expected a mapping")]
)
def test_junk_is_no_space(values, message):
    with pytest.raises(UserError, match=message):
        Space.from_dict(values)


def test_an_unknown_preset():
    with pytest.raises(UserError, match="there is no space 'tiny'; there are small, full"):
        make_space(make_layout(("x",), [("a", 10, 1)]), "tiny")


def test_needs_no_tensorflow():
    modules = (
        "axes cost effective genes handmade hyperparameters operations operators path sampling size space"
    )
    names = ", ".join(f"recfactory.space.{name}" for name in f"{modules} variation wiring".split())
    code = f"import sys, {names}; print({{'tensorflow', 'keras', 'keras_tuner'}} & set(sys.modules))"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "set()"
