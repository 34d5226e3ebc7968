import pytest

from recfactory.errors import UserError
from recfactory.space import HANDMADE, PRESETS, Space


@pytest.mark.parametrize("name", HANDMADE)
@pytest.mark.parametrize("raw", ["numbers", "fields", "both"])
@pytest.mark.parametrize("blocks", range(1, 9))
def test_lies_in_any_space_and_wastes_no_block(name, raw, blocks):
    path = HANDMADE[name](Space(13, 26, blocks=blocks, raw_dense=raw))
    assert all(path.live.dense)
    assert path.live.sparse[-1]


def test_dlrm():
    path = HANDMADE["dlrm"](Space(13, 26, **PRESETS["small"]))
    assert [block.dense_operator for block in path.blocks] == ["fc"] * 3 + ["dot_product"] + ["fc"] * 3
    assert [block.dense_dim for block in path.blocks] == [512, 256, 128, 512, 512, 256, 128]
    assert [block.dense_sources for block in path.blocks] == [(0,), (1,), (2,), (3,), (3, 4), (5,), (6,)]
    assert path.blocks[3].sparse_sources == (0,)
    assert path.live.sparse == (False,) * 6 + (True,)
    assert not any(path.live.fm + path.live.dense_to_sparse)


def test_deepfm():
    path = HANDMADE["deepfm"](Space(13, 26, raw_dense="both"))
    assert {(block.dense_operator, block.dense_dim) for block in path.blocks} == {("fc", 512)}
    assert path.live.fm == (False,) * 6 + (True,)
    assert (path.blocks[6].sparse_sources, path.blocks[6].sparse_dim) == ((0,), 32)
    # The dense columns alone know nothing of the fields, so that those come in by FM.
    assert HANDMADE["deepfm"](Space(13, 26)).live.fm == (True,) + (False,) * 5 + (True,)


def test_dcn():
    path = HANDMADE["dcn"](Space(13, 26, raw_dense="both"))
    assert [block.dense_operator for block in path.blocks] == ["gating"] * 3 + ["fc"] * 4
    assert [(block.left, block.right) for block in path.blocks[:3]] == [(0, 0), (1, 0), (2, 0)]
    assert {block.dense_dim for block in path.blocks[:3]} == {512}  # at least 13 + 26 * 16
    assert [block.dense_sources for block in path.blocks[3:]] == [(0,), (4,), (5,), (3, 6)]
    assert not any(path.live.fm)
    assert HANDMADE["dcn"](Space(13, 26)).live.fm == (True, False, False, True, False, False, False)


def test_dims_are_those_of_the_space():
    space = Space(13, 26, dense_dims=(8, 48), sparse_dims=(4, 8))
    for make in HANDMADE.values():
        assert {block.dense_dim for block in make(space).blocks} <= {8, 48}


@pytest.mark.parametrize(
    ("name", "changes", "message"),
    [
        ("dcn", PRESETS["small"], "dcn needs the operator 'gating', which the space lacks"),
        ("dlrm", {"dense_operators": ("fc",)}, "dlrm needs the operator 'dot_product'"),
        ("dlrm", {"max_sources": 1}, "dlrm needs operators that read 2 sources"),
        ("deepfm", {"sparse_operators": ("attention",)}, "deepfm needs the operator 'efc'"),
    ],
)
def test_a_space_that_lacks_something(name, changes, message):
    with pytest.raises(UserError, match=message):
        HANDMADE[name](Space(13, 26, **changes))
