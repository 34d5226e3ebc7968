import json
from dataclasses import FrozenInstanceError, replace

import pytest
from hypothesis import given
from random_paths import paths

from recfactory.errors import UserError
from recfactory.space import Block, Path, Space
from recfactory.space.path import Live

SPACE = Space(3, 2, blocks=3, dense_dims=(4, 8), sparse_dims=(2, 3), max_sources=2, merger_tokens=5)


def block(number, **changes):
    last = (number - 1,)
    plain = Block("fc", 4, "efc", 2, last, last, number - 1, number - 1, False, False)
    return replace(plain, **changes)


def path(**changes):
    """A chain of three blocks, with `changes` as block_2={...}."""
    return Path(SPACE, tuple(block(n, **changes.get(f"block_{n}", {})) for n in (1, 2, 3)))


@given(paths)
def test_json_both_ways(one):
    again = Path.from_json(one.to_json())
    assert again == one
    assert hash(again) == hash(one)
    assert again.genes == one.genes


def test_json_is_readable():
    values = json.loads(path().to_json())
    assert values["space"]["dense_dims"] == [4, 8]
    assert values["blocks"][1] == {
        "dense_operator": "fc",
        "dense_dim": 4,
        "sparse_operator": "efc",
        "sparse_dim": 2,
        "dense_sources": [1],
        "sparse_sources": [1],
        "left": 1,
        "right": 1,
        "dense_to_sparse": False,
        "fm": False,
    }


def test_immutable():
    with pytest.raises(FrozenInstanceError):
        path().blocks = ()


def test_sizes_of_sources():
    one = path(block_2={"dense_dim": 8, "sparse_dim": 3, "dense_to_sparse": True})
    assert [one.dense_width(source) for source in range(4)] == [3, 4, 8, 4]
    assert [one.tokens(source) for source in range(4)] == [2, 2, 3 + 5, 2]


ALL, NONE = (True, True, True), (False, False, False)


@pytest.mark.parametrize(
    ("changes", "live"),
    [
        ({}, Live(ALL, ALL, NONE, NONE)),
        # Nobody reads block 2.
        (
            {"block_3": {"dense_sources": (1,), "sparse_sources": (1,)}},
            Live((True, False, True), (True, False, True), NONE, NONE),
        ),
        # Only its tokens are read, which its merger makes of its numbers; its FM would go to its numbers.
        (
            {
                "block_2": {"dense_to_sparse": True, "fm": True},
                "block_3": {"dense_sources": (0,), "sparse_sources": (2,)},
            },
            Live(ALL, ALL, (False, True, False), NONE),
        ),
        # Only its numbers are read, to which its FM adds its tokens.
        (
            {
                "block_2": {"dense_to_sparse": True, "fm": True},
                "block_3": {"dense_sources": (2,), "sparse_sources": (0,)},
            },
            Live(ALL, ALL, NONE, (False, True, False)),
        ),
        # Without FM its tokens are dead, and with them those of block 1.
        (
            {"block_3": {"sparse_sources": (0,)}},
            Live(ALL, (False, False, True), NONE, NONE),
        ),
        # A two-sided operator reads its sides, not what would be concatenated.
        (
            {"block_3": {"dense_operator": "sum", "left": 0, "right": 1, "sparse_sources": (0,)}},
            Live((True, False, True), (False, False, True), NONE, NONE),
        ),
        # An inner product reads tokens too.
        (
            {"block_3": {"dense_operator": "dot_product", "sparse_sources": (1,), "dense_sources": (0,)}},
            Live((False, False, True), (True, False, True), NONE, NONE),
        ),
    ],
)
def test_what_the_output_depends_on(changes, live):
    assert path(**changes).live == live


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"dense_operator": "efc"}, "dense_operator is 'efc', the space has fc, gating, sum, dot_product"),
        ({"sparse_operator": "fc"}, "sparse_operator is 'fc', the space has efc, attention"),
        ({"dense_dim": 5}, "dense_dim is 5, the space has 4, 8"),
        ({"dense_dim": 4.0}, "dense_dim is 4.0"),
        ({"sparse_dim": "2"}, "sparse_dim is '2'"),
        ({"sparse_operator": ["efc"]}, "sparse_operator is \\['efc'\\]"),
        ({"dense_sources": ()}, r"dense_sources must be 1 to 2 sources, not \(\)"),
        ({"dense_sources": (0, 1, 2)}, "dense_sources must be 1 to 2 sources"),
        ({"dense_sources": 1}, "dense_sources must be 1 to 2 sources, not 1"),
        ({"sparse_sources": (1, 0)}, r"sparse_sources must be of 0 to 1 in ascending order, not \[1, 0\]"),
        ({"sparse_sources": (1, 1)}, "in ascending order"),
        ({"sparse_sources": (2,)}, "must be of 0 to 1"),
        ({"sparse_sources": (-1,)}, "must be of 0 to 1"),
        ({"sparse_sources": ("a",)}, "must be of 0 to 1"),
        ({"left": 2}, "left must be a source of 0 to 1, not 2"),
        ({"right": True}, "right must be a source of 0 to 1, not True"),
        ({"fm": 1}, "fm must be true or false, not 1"),
    ],
)
def test_a_wrong_block_is_named(changes, message):
    with pytest.raises(UserError, match=f"path, block 2: .*{message}"):
        path(block_2=changes)


def test_too_few_blocks():
    with pytest.raises(UserError, match="path: has 1 blocks, its space has 3"):
        Path(SPACE, (block(1),))


def junk(change):
    values = json.loads(path().to_json())
    change(values)
    return json.dumps(values)


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("", "path: this is no JSON"),
        ("{", "path: this is no JSON"),
        ("[1, 2]", r"path: expected a mapping of space, blocks, not \[1, 2\]"),
        ("{}", "path: space, blocks missing"),
        ('{"auc": 0.8}', "path: unknown key 'auc'; known here: space, blocks"),
        ('{"space": {}, "blocks": 3}', "path: blocks must be a list, not 3"),
        (junk(lambda v: v.update(space=3)), "space: expected a mapping of its arguments, not 3"),
        (junk(lambda v: v["space"].pop("fields")), "space: fields is missing"),
        (junk(lambda v: v["space"].update(dims=3)), "space: unknown key 'dims'"),
        (junk(lambda v: v["blocks"].pop()), "path: has 2 blocks, its space has 3"),
        (junk(lambda v: v["blocks"].append(None)), "path, block 4: expected a mapping of dense_operator, "),
        (junk(lambda v: v["blocks"][1].pop("fm")), "path, block 2: fm missing"),
        (
            junk(lambda v: v["blocks"][1].update(dense_dims=3)),
            "path, block 2: unknown key 'dense_dims'; did you mean 'dense_dim'",
        ),
        (junk(lambda v: v["blocks"][1].update(left=None)), "path, block 2: left must be a source"),
    ],
)
def test_junk_is_no_path(text, message):
    with pytest.raises(UserError, match=message) as told:
        Path.from_json(text)
    assert "\n" not in str(told.value)
