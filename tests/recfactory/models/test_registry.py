"""Models by name."""

import subprocess
import sys
from dataclasses import replace
from pathlib import Path

import pytest

from recfactory.errors import UsageError, UserError
from recfactory.features.layout import make_layout
from recfactory.models.registry import MODELS, build, check_name, find, load
from recfactory.space import Space, operators
from recfactory.space.path_file import write_path
from recfactory.space.sampling import smallest
from recfactory.training.recipe import Recipe

LAYOUT = make_layout(("x",), [("a", 1, 6)])


def test_unknown_name_lists_the_names_and_guesses() -> None:
    with pytest.raises(
        UsageError, match=r"'dcn2'.*dlrm, deepfm, dcnv2, mlp, tfrs; did you mean 'dcnv2'.*best.json"
    ):
        check_name("dcn2")


def test_unknown_name_is_refused_without_tensorflow() -> None:
    code = (
        "import sys\n"
        "from recfactory.models.registry import check_name\n"
        "for name in ('dcn2', 'missing.json'):\n"
        "    try: check_name(name)\n"
        "    except Exception as error: print(error)\n"
        "sys.exit(bool({'tensorflow', 'keras'} & set(sys.modules)))"
    )
    done = subprocess.run([sys.executable, "-c", code], check=False, capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    assert [line[:16] for line in done.stdout.splitlines()] == ["there is no mode", "there is no path"]


def test_a_path_its_file_and_a_name_are_models(tmp_path: Path) -> None:
    path = smallest(Space(1, 1, blocks=1))
    write_path(tmp_path / "best.json", path)
    check_name(str(tmp_path / "best.json"))
    assert find(path) == find(str(tmp_path / "best.json")) == path
    assert find("mlp") == "mlp"
    with pytest.raises(UserError, match="there is no path file"):
        check_name(str(tmp_path / "other.json"))


def test_a_path_takes_the_recipe_but_for_sizes() -> None:
    path = smallest(Space(1, 1, blocks=1, embedding_dim=8))
    recipe = {"hidden": [4], "embedding_dim": 3, "embedding_l2": 0.3, "clip_norm": 2.0, "dropout": 0.4}
    ranker = build(path, LAYOUT, recipe)
    assert (ranker.embedding_dim, ranker.embedding_l2, ranker.clip_norm) == (8, 0.3, 2.0)
    operator = ranker.tower.get_layer("block_1_fc")
    assert (operator.batch_norm, operator.dropout) == (True, 0.4)
    plain = build(path, LAYOUT, {"batch_norm": False, "dropout": 0.0})
    assert plain.tower.count_params() == path.params


@pytest.mark.parametrize("name", MODELS)
def test_builds_from_a_recipe_or_some_entries(name: str) -> None:
    recipe = Recipe(hidden=(4,), embedding_dim=3)
    sizes = {
        build(name, LAYOUT, given).count_params() for given in (recipe, {"hidden": [4], "embedding_dim": 3})
    }
    assert len(sizes) == 1
    assert sizes != {build(name, LAYOUT).count_params()}


def test_unknown_hyperparameter() -> None:
    with pytest.raises(UsageError, match="did you mean 'dropout'"):
        build("mlp", LAYOUT, {"droput": 0.1})


def test_an_operator_without_its_layer_is_in_nobodys_way(tmp_path, monkeypatch):
    build("mlp", LAYOUT, {"hidden": [4]}).save(tmp_path / "model.keras")
    ghost = replace(operators.operator("fc"), name="ghost", layer="none:None")
    monkeypatch.setitem(operators._OPERATORS, "ghost", ghost)
    assert load(tmp_path / "model.keras").count_params() > 0
