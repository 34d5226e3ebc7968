import signal
import subprocess
import sys
import time

import pytest

from pipelines.features import make_features
from pipelines.reading import plan
from recfactory.schema.yaml_file import write_schema

PIECE = 400
"""Bytes a piece: some 30 of them."""
CODE = """
import sys
from pipelines.features import make_features
from pipelines.reading import plan
plan.PIECE_BYTES = int(sys.argv[1])
make_features(*sys.argv[2:])
"""


def run_until(appears, arguments):
    """Starts a run and kills it as soon as a file appears."""
    process = subprocess.Popen([sys.executable, "-c", CODE, str(PIECE), *map(str, arguments)])
    while process.poll() is None and not appears():
        time.sleep(0.001)
    process.send_signal(signal.SIGKILL)
    assert process.wait() == -signal.SIGKILL, "the run ended before it could be killed"


@pytest.mark.parametrize(
    "moments",
    [
        ["work/written/block *"],
        pytest.param(
            [
                "source.json",
                "work/counted/*",
                "statistics.json",
                "work/written/block *-00002?",
                "encoded/*/*-00002?*",
            ],
            marks=pytest.mark.slow,
        ),
    ],
)
def test_killed_and_run_again_equals_an_undisturbed_run(shop, schema, tmp_path, tree, monkeypatch, moments):
    monkeypatch.setattr(plan, "PIECE_BYTES", PIECE)
    with shop.open("a") as file:
        file.write("1,2\n")
    make_features(str(shop), tmp_path / "whole", schema)
    write_schema(tmp_path / "schema.yaml", schema)
    out = tmp_path / "out"
    for moment in moments:
        run_until(lambda moment=moment: any(out.glob(moment)), [shop, out, tmp_path / "schema.yaml"])
        assert not (out / "manifest.json").exists()
    manifest = make_features(str(shop), out, schema)
    assert tree(out) == tree(tmp_path / "whole")
    assert sum(manifest["rejected"].values()) == 1
    assert sum(part["rows"] for part in manifest["splits"].values()) == 600
