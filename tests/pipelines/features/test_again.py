"""The same bytes whatever the workers, and however often it is run."""

import shutil

import pytest
from outcomes import rejected

from pipelines.features import make_features

pytestmark = pytest.mark.usefixtures("small_pieces")


OPTIONS = ["--direct_num_workers=2", "--direct_running_mode=multi_threading"]


@pytest.mark.parametrize(
    "options",
    [
        OPTIONS,
        pytest.param([OPTIONS[0], OPTIONS[1].replace("threading", "processing")], marks=pytest.mark.slow),
    ],
)
def test_workers_change_nothing(shop, schema, tmp_path, tree, options):
    with shop.open("a") as file:
        file.write("2,1,u1,\n")
    make_features(str(shop), tmp_path / "one", schema)
    make_features(str(shop), tmp_path / "two", schema, beam_options=options)
    assert tree(tmp_path / "one") == tree(tmp_path / "two")
    assert len(rejected(tmp_path / "two")) == 1


def test_an_unfinished_folder_is_finished(shop, schema, tmp_path, tree):
    """Also where outputs that were written have been lost."""
    make_features(str(shop), tmp_path / "whole", schema)
    whole = tree(tmp_path / "whole")
    shutil.copytree(tmp_path / "whole", tmp_path / "out")
    shutil.rmtree(tmp_path / "out" / "encoded" / "train")
    assert make_features(str(shop), tmp_path / "out", schema)["splits"]
    assert tree(tmp_path / "out") == whole
    (tmp_path / "out" / "manifest.json").unlink()
    (tmp_path / "out" / "examples" / ".partial-1-part").write_text("half")
    next((tmp_path / "out" / "examples" / "train").iterdir()).unlink()
    make_features(str(shop), tmp_path / "out", schema)
    assert tree(tmp_path / "out") == whole


def test_again_is_a_look_at_what_is_there(shop, schema, tmp_path):
    first = make_features(str(shop), tmp_path / "out", schema)
    times = {path: path.stat().st_mtime_ns for path in (tmp_path / "out").rglob("*")}
    assert make_features(str(shop), tmp_path / "out", schema) == first
    assert {path: path.stat().st_mtime_ns for path in (tmp_path / "out").rglob("*")} == times
