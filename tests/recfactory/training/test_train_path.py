"""Training of a path, like that of a hand-made model: results, resume, refusals."""

import subprocess
import sys
from dataclasses import replace
from pathlib import Path as File

import pytest
from test_train import Interrupted, interrupted_save, quiet, same

from recfactory.errors import UserError
from recfactory.files import read_json
from recfactory.models.registry import load
from recfactory.space import Block, Path, Space
from recfactory.space.path_file import path_name, read_path, write_path
from recfactory.training import checkpoint
from recfactory.training.checkpoint import CHECKPOINT
from recfactory.training.recipe import Recipe
from recfactory.training.seeds import train_seeds
from recfactory.training.train import train

RECIPE = Recipe(batch_size=100, epochs=2, learning_rate=0.01, embedding_l2=0.001)
SPACE = Space(2, 3, blocks=2, dense_dims=(8, 16), sparse_dims=(2, 4), embedding_dim=8, merger_tokens=2)
PATH, OTHER = (
    Path(
        SPACE,
        (
            Block("dot_product", 16, "attention", 4, (0,), (0,), 0, 0, dense_to_sparse=True, fm=False),
            Block("gating", 8, "efc", sparse_dim, (0,), (0, 1), 1, 0, dense_to_sparse=False, fm=True),
        ),
    )
    for sparse_dim in (2, 4)
)


@pytest.fixture(scope="module")
def undisturbed(features: File, tmp_path_factory: pytest.TempPathFactory) -> File:
    out = tmp_path_factory.mktemp("undisturbed") / "model"
    train(features, PATH, out, RECIPE, quiet)
    return out


def test_leaves_what_it_promises(undisturbed: File) -> None:
    names = {path.name for path in undisturbed.iterdir()}
    assert names == {
        "model.keras", "path.json", "recipe.json", "training.jsonl", "timings.jsonl", "tensorboard",
        "result.json",
    }  # fmt: skip
    result = read_json(undisturbed / "result.json")
    assert result["model"] == read_json(undisturbed / "recipe.json")["model"] == path_name(PATH)
    assert result["macs"] == PATH.macs
    table = result["table_rows"] * SPACE.embedding_dim
    assert result["params"] == result["tower_params"] + table + 1  # the prior
    assert result["auc"] > 0.7
    assert read_path(undisturbed / "path.json") == PATH


def test_a_path_file_is_the_path(undisturbed: File, features: File, tmp_path: File) -> None:
    write_path(tmp_path / "best.json", PATH, scores={"logloss": 0.1})
    train(features, str(tmp_path / "best.json"), tmp_path / "model", RECIPE, quiet)
    same(tmp_path / "model", undisturbed)


@pytest.mark.parametrize("at", [3, 25], ids=["first batches", "epoch end"])
def test_resumes_to_the_same_bytes(
    at: int, undisturbed: File, features: File, tmp_path: File, monkeypatch: pytest.MonkeyPatch
) -> None:
    out = tmp_path / "model"
    with monkeypatch.context() as patch:
        patch.setattr(checkpoint, "save", interrupted_save(at))
        with pytest.raises(Interrupted):
            train(features, PATH, out, RECIPE, quiet, checkpoint_seconds=0)
    assert (out / CHECKPOINT).is_file()
    train(features, PATH, out, RECIPE, quiet)
    same(out, undisturbed)


LOADED = """
import sys
import numpy as np
from recfactory.models.registry import load
ranker = load(sys.argv[1])
rows = {"numbers": np.ones([2, 2], "f"), "ids": np.array([[2, 44, 54, 56, 53]] * 2, "i")}
print(*(weight.sum() for weight in ranker.get_weights()), *np.asarray(ranker(rows)))
"""


def test_loads_in_a_process_of_its_own(undisturbed: File) -> None:
    code = [sys.executable, "-c", LOADED, str(undisturbed / "model.keras")]
    done = subprocess.run(code, check=False, capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    sums = [float(number) for number in done.stdout.split()]
    assert sums[:-2] == pytest.approx([w.sum() for w in load(undisturbed / "model.keras").get_weights()])
    assert 0 < sums[-1] < 1


def test_another_path_is_refused_and_an_equal_network_is_not(undisturbed: File, features: File) -> None:
    was, now = path_name(PATH), path_name(OTHER)
    with pytest.raises(UserError, match=rf"another training \(model {was}, not {now}\)"):
        train(features, OTHER, undisturbed, RECIPE, quiet)
    lines: list[str] = []
    train(features, PATH, undisturbed, RECIPE, lines.append)
    assert lines == [f"'{undisturbed}' is trained already"]


def test_a_path_for_other_columns_is_a_sentence(features: File, tmp_path: File) -> None:
    other = Path(replace(SPACE, numbers=13), PATH.blocks)
    with pytest.raises(UserError, match="of another space: it reads 13 dense and 3 categorical columns"):
        train(features, other, tmp_path / "model", RECIPE, quiet)
    assert not (tmp_path / "model").exists()


def test_seeds(features: File, tmp_path: File) -> None:
    recipe = replace(RECIPE, epochs=1)
    summary = train_seeds(features, PATH, tmp_path / "out", recipe, seeds=2, log=quiet)
    assert summary["model"] == path_name(PATH)
    assert [result["macs"] for result in summary["results"]] == [PATH.macs] * 2
    assert len({result["weights_sha256"] for result in summary["results"]}) == 2


def test_layer_normalisation_is_the_architecture_as_it_is_counted(features: File, tmp_path: File) -> None:
    recipe = replace(RECIPE, epochs=1, batch_norm=False, dropout=0.0)
    result = train(features, PATH, tmp_path / "model", recipe, quiet)
    assert result["tower_params"] == PATH.params
