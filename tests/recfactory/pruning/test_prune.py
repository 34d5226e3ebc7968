"""The rounds: results, resume, both methods, both kinds of sparsity, refusals."""

import shutil

import numpy as np
import pytest
import tensorflow as tf
from small_winner import PATH, RECIPE, write_features

from recfactory.cli import main
from recfactory.errors import UsageError, UserError
from recfactory.estimate.model import estimate_model
from recfactory.features.spec import read_spec
from recfactory.files import read_json, write_json
from recfactory.models.macs import count_macs
from recfactory.models.registry import load
from recfactory.pruning.masks import matrices
from recfactory.pruning.prune import prune
from recfactory.pruning.recipe import PruneRecipe
from recfactory.pruning.ticket import Ticket
from recfactory.pruning.winner import read_winner
from recfactory.training.train import ignore_line
from serving.export import export

PRUNE = PruneRecipe(rounds=2, epochs=3)


@pytest.fixture(scope="module")
def pruned(features, trained, tmp_path_factory):
    out = tmp_path_factory.mktemp("pruned") / "model"
    prune(trained, features, out, PRUNE, ignore_line)
    return out


def test_half_the_macs_are_really_gone(pruned, trained):
    result = read_json(pruned / "result.json")
    model = load(pruned / "model.keras")
    assert result["macs"] == result["nonzero_macs"] == count_macs(model) <= PATH.macs / 2
    assert (
        result["tower_params"]
        == model.tower.count_params()
        < read_json(trained / "result.json")["tower_params"]
    )
    assert result["before"]["macs"] == PATH.macs
    assert [row["round"] for row in result["rounds"]] == [1, 2]
    assert PATH.macs > result["rounds"][0]["macs"] > result["rounds"][1]["macs"] == result["macs"]
    assert result["auc"] > 0.75
    left = {path.name for path in pruned.iterdir()}
    files = {"model.keras", "prune.json", "cut.json", "result.json"}
    assert left == {*files, "round-1", "round-2", "final"}
    assert not list(pruned.rglob("checkpoint.npz"))


def test_it_costs_less_on_a_machine_too(pruned, trained, features):
    before, after = (estimate_model(str(folder), features) for folder in (trained, pruned))
    assert after.macs == read_json(pruned / "result.json")["macs"]
    assert after.machines["handcrafted"].energy_j[0] < before.machines["handcrafted"].energy_j[0]


def test_exports_like_any_model(pruned, features, tmp_path):
    model, spec = load(pruned / "model.keras"), read_spec(features)
    example = tf.train.Example()
    example.features.feature["a"].bytes_list.value.append(b"a3")
    example.features.feature["x"].float_list.value.append(0.7)
    served = tf.saved_model.load(str(export(model, spec, tmp_path / "saved", [example.SerializeToString()])))
    answer = served.signatures["serving_default"](tf.constant([example.SerializeToString()]))["ctr"]
    a, b = spec.layout.fields
    inputs = {"numbers": tf.constant([[0.7, 0.0]]), "ids": tf.constant([[a.offset + 2 + 3, b.offset]])}
    np.testing.assert_allclose(answer, model(inputs), atol=1e-5)


class Killed(Exception):
    pass


def test_goes_on_after_the_last_whole_round(pruned, features, trained, tmp_path, monkeypatch):
    save = Ticket.save

    def save_and_die(*arguments):
        save(*arguments)
        raise Killed

    with monkeypatch.context() as patch:
        patch.setattr(Ticket, "save", save_and_die)
        with pytest.raises(Killed):
            prune(trained, features, tmp_path / "model", PRUNE, ignore_line)
    again = prune(trained, features, tmp_path / "model", PRUNE, ignore_line)
    assert again == read_json(pruned / "result.json")
    assert not list((tmp_path / "model").rglob("checkpoint.npz"))


def test_a_finished_pruning_is_not_done_again(pruned, features, trained):
    lines = []
    assert prune(trained, features, pruned, PRUNE, lines.append) == read_json(pruned / "result.json")
    assert lines == [f"'{pruned}' is pruned already"]


def test_single_weights_save_no_macs_and_are_counted_apart(features, trained, tmp_path):
    recipe = PruneRecipe(ratio=0.6, method="magnitude", rounds=1, epochs=1, unstructured=True)
    result = prune(trained, features, tmp_path / "model", recipe, ignore_line)
    assert result["macs"] == PATH.macs
    assert 0.3 * PATH.macs < result["nonzero_macs"] <= 0.4 * PATH.macs
    model = load(tmp_path / "model" / "model.keras")
    zeros = sum(int((np.asarray(v) == 0).sum()) for v in matrices(model.tower).values())
    assert zeros > 0.3 * sum(v.numpy().size for v in matrices(model.tower).values())


def test_single_weights_that_cannot_make_up_for_the_rest(features, trained, tmp_path):
    """All pair products stay, whatever weights go."""
    recipe = PruneRecipe(ratio=0.999, rounds=1, epochs=1, unstructured=True)
    with pytest.raises(UserError, match=r"a ratio of 0\.999 would leave none: choose one well below"):
        prune(trained, features, tmp_path / "model", recipe, ignore_line)
    assert not (tmp_path / "model").exists()


def test_a_ratio_that_is_missed_is_told(features, trained, tmp_path):
    lines = []
    recipe = PruneRecipe(ratio=0.97, rounds=1, epochs=1)
    result = prune(trained, features, tmp_path / "model", recipe, lines.append)
    assert result["macs"] > result["target_macs"] == int(PATH.macs * 0.03)
    assert "take more rounds than 1" in lines[-1]


def test_the_bits_of_a_codesign_are_told_apart(features, trained, tmp_path):
    own = tmp_path / "own"
    shutil.copytree(trained, own)
    assert not read_winner(own)[1]["few_bits"]
    write_json(own / "path.json", {**read_json(own / "path.json"), "precision": {}, "machine": {}})
    assert read_winner(own)[1]["few_bits"]
    write_json(own / "recipe.json", {**read_json(own / "recipe.json"), "bits": {}})
    with pytest.raises(UserError, match=f"few bits; name the training .* such as '{tmp_path / '0'}'"):
        read_winner(own)


@pytest.mark.parametrize("text", ["", "[]", "{}", '{"cut": {}, "macs": 1}'])
def test_a_damaged_round_is_a_sentence(pruned, features, trained, tmp_path, text):
    out = tmp_path / "model"
    shutil.copytree(pruned, out)
    (out / "result.json").unlink()
    (out / "round-1" / "ticket.json").write_text(text)
    with pytest.raises(UserError, match=r"round-1' is damaged \(.*; delete it to do its round again"):
        prune(trained, features, out, PRUNE, ignore_line)


@pytest.mark.parametrize("text", ["", "[]", "{}"])
@pytest.mark.parametrize("name", ["recipe.json", "result.json"])
def test_a_damaged_winner_is_a_sentence(trained, tmp_path, name, text):
    own = tmp_path / "own"
    shutil.copytree(trained, own)
    (own / name).write_text(text)
    with pytest.raises(UserError, match=f"'{own / name}' is damaged: .*; train the path again"):
        read_winner(own)


def test_from_the_command_line(pruned, features, trained, capfd):
    arguments = ["--model", str(trained), "--features", str(features), "--out", str(pruned)]
    assert main(["prune", *arguments, "--method", "magnitude", "--rounds", "2", "--epochs", "3"]) == 1
    assert "holds another pruning (recipe: method learned, not magnitude)" in capfd.readouterr().err
    assert main(["prune", *arguments, "--ratio", "1.5"]) == 2
    assert "prune: ratio must be between 0 and 1, not 1.5" in capfd.readouterr().err


def test_what_cannot_be_pruned_is_a_sentence(features, trained, tmp_path):
    def refused(model, message, given=features):
        with pytest.raises(UserError, match=message):
            prune(model, given, tmp_path / "out", PRUNE, ignore_line)
        assert not (tmp_path / "out").exists()

    refused(tmp_path / "nothing", "holds no finished training")
    (tmp_path / "seeds" / "seed-0").mkdir(parents=True)
    refused(tmp_path / "seeds", "name one, such as '.*seed-0'")
    for name in ("recipe.json", "result.json"):
        write_json(tmp_path / "dcn" / name, {**read_json(trained / name), "model": "dcnv2"})
    refused(tmp_path / "dcn", "holds a dcnv2, and only paths are pruned")
    refused(trained, "other features", write_features(tmp_path / "features", seed=1))
    with pytest.raises(UsageError, match="rounds must be 1 or more"):
        PruneRecipe(rounds=0)
    assert RECIPE.seed == read_json(trained / "recipe.json")["recipe"]["seed"]
