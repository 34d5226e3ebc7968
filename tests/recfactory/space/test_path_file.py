"""Path files: what was written is read; anything else is refused in a sentence."""

import json
from dataclasses import replace

import pytest
from hypothesis import HealthCheck, given, settings
from random_paths import paths

from recfactory.errors import UserError
from recfactory.features.layout import make_layout
from recfactory.files import read_json, write_json
from recfactory.space import Path, Space
from recfactory.space.path_file import check_columns, path_name, read_path, read_recipe, write_path
from recfactory.space.sampling import smallest

SPACE = Space(3, 2, blocks=2)
PATH = smallest(SPACE)


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture], max_examples=20)
@given(paths)
def test_both_ways(tmp_path, path):
    write_path(tmp_path / "best.json", path)
    assert read_path(tmp_path / "best.json") == path


def test_scores_are_for_readers(tmp_path):
    write_path(tmp_path / "best.json", PATH, scores={"logloss": 0.5}, recipe={"dropout": 0.0})
    assert read_json(tmp_path / "best.json")["scores"] == {"logloss": 0.5}
    assert read_path(str(tmp_path / "best.json")) == PATH


def test_what_a_path_prints_is_a_path_file(tmp_path):
    (tmp_path / "mine.json").write_text(PATH.to_json())
    assert read_path(tmp_path / "mine.json") == PATH


def test_a_missing_file_is_a_sentence(tmp_path):
    with pytest.raises(UserError, match=r"no path file '.*best.json'; `recfactory search` writes one"):
        read_path(tmp_path / "best.json")
    with pytest.raises(UserError, match=r"cannot read the path file '.*': Is a directory"):
        read_path(tmp_path)


def cut_blocks(values):
    return {**values, "blocks": values["blocks"][:-1]}


@pytest.mark.parametrize(
    ("change", "sentence"),
    [
        (lambda values: [values], "expected a mapping of space, blocks"),
        (lambda values: {"scores": {}}, "space, blocks missing"),
        (lambda values: {**values, "block": 1}, "unknown key 'block'"),
        (lambda values: {**values, "space": 7}, "space: expected a mapping"),
        (cut_blocks, "has 1 blocks, its space has 2"),
    ],
)
def test_a_file_without_a_path_is_a_sentence(tmp_path, change, sentence):
    file = tmp_path / "best.json"
    write_json(file, change(json.loads(PATH.to_json())))
    with pytest.raises(UserError, match=f"best.json' is no path file: .*{sentence}"):
        read_path(file)


@pytest.mark.parametrize("content", [b"{", b"", b"\xff\xfe", b"yes"])
def test_what_is_no_json_is_a_sentence(tmp_path, content):
    (tmp_path / "best.json").write_bytes(content)
    with pytest.raises(UserError, match="is no path file: it is not JSON"):
        read_path(tmp_path / "best.json")


def test_a_recipe_that_is_none_is_a_sentence(tmp_path):
    write_path(tmp_path / "best.json", PATH)
    assert read_recipe(tmp_path / "best.json") == {}
    write_json(tmp_path / "best.json", {**PATH.to_dict(), "recipe": None})
    with pytest.raises(UserError, match="its recipe must be settings by name, not None"):
        read_recipe(tmp_path / "best.json")


def test_other_columns_are_refused():
    fields = [("a", 1, 9), ("b", 3, 9)]
    check_columns(PATH, make_layout(("x", "y", "z"), fields), "f")
    with pytest.raises(
        UserError,
        match="another space: it reads 3 dense and 2 categorical columns, 'f' has 2 and 2; take a path",
    ):
        check_columns(PATH, make_layout(("x", "y"), fields), "f")
    with pytest.raises(UserError, match="'f' has 3 and 1"):
        check_columns(PATH, make_layout(("x", "y", "z"), fields[:1]), "f")


def test_equal_networks_have_equal_names():
    """The operator sum reads left and right, in any order, and nothing that is concatenated."""
    space = Space(3, 2, blocks=2, dense_operators=("sum",), sparse_operators=("efc",))
    first, last = smallest(space).blocks
    one, other, third = (
        path_name(Path(space, (first, replace(last, left=left, right=right, dense_sources=sources))))
        for left, right, sources in ((0, 1, (0,)), (1, 0, (0, 1)), (1, 1, (0,)))
    )
    assert one == other != third
    wider = replace(space, embedding_dim=8)
    assert path_name(Path(wider, (first, last))) != path_name(Path(space, (first, last)))
