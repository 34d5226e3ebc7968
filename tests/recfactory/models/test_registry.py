"""Models by name."""

import subprocess
import sys

import pytest

from recfactory.errors import UsageError
from recfactory.features.layout import make_layout
from recfactory.models.registry import MODELS, build, check_name
from recfactory.training.recipe import Recipe

LAYOUT = make_layout(("x",), [("a", 1, 6)])


def test_unknown_name_lists_the_names_and_guesses() -> None:
    with pytest.raises(UsageError, match=r"'dcn2'.*dlrm, deepfm, dcnv2, mlp, tfrs; did you mean 'dcnv2'"):
        check_name("dcn2")


def test_unknown_name_is_refused_without_tensorflow() -> None:
    code = (
        "import sys, recfactory.models.registry; sys.exit(bool({'tensorflow', 'keras'} & set(sys.modules)))"
    )
    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == 0


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
