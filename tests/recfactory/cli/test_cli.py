"""The command line: exit codes, one clear sentence a mistake, JSON last."""

import gzip
import json
import socket
import subprocess
import sys
from pathlib import Path

import pytest

from recfactory.benchmarks.search import SETTINGS
from recfactory.cli import main
from recfactory.cli.arguments import DATASETS
from recfactory.cli.search import with_defaults
from recfactory.errors import UsageError

HEADER = "click,user,hour\n"
ROWS = "".join(f"{i % 3 == 0:d},u{i % 7},{i % 24}\n" for i in range(200))


def write(path: Path, content: str | bytes) -> str:
    path.write_bytes(content.encode() if isinstance(content, str) else content)
    return str(path)


def refused(capfd, code: int, *arguments: str) -> str:
    """Runs a command that must be refused, and returns its one sentence."""
    assert main(arguments) == code
    out, err = capfd.readouterr()
    assert out == ""
    assert "Traceback" not in err
    lines = [line for line in err.splitlines() if line.strip()]
    assert len(lines) == 1, err
    assert lines[0].startswith(f"recfactory {arguments[0]}: ")
    return lines[0]


@pytest.mark.parametrize(
    ("name", "content", "says"),
    [
        ("empty.csv", "", "is empty"),
        ("header.csv", HEADER, "no rows"),
        ("binary.csv", b"\x7fELF\x00\x01\x02" * 50, "is binary"),
        ("cut.csv.gz", gzip.compress((HEADER + ROWS).encode())[:-40], "truncated"),
        ("constant.csv", HEADER + "0,u1,3\n0,u2,4\n" * 50, "constant"),
        ("no_label.csv", "user,hour\nu1,3\nu2,4\n", "--label"),
        ("short.csv", HEADER + ROWS + "1,u1\n" * 20, "2 columns where 3 were expected"),
        ("cut.parquet", b"PAR1" + b"x" * 100, "Parquet"),
    ],
)
def test_unusable_data_are_refused_in_one_sentence(tmp_path, capfd, name, content, says):
    data = write(tmp_path / name, content)
    said = refused(capfd, 1, "features", "--data", data, "--out", str(tmp_path / "out"))
    assert says in said


def test_rejected_rows_are_named(tmp_path, capfd):
    data = write(tmp_path / "short.csv", HEADER + ROWS + "1,u1\n")
    assert main(["features", "--data", data, "--out", str(tmp_path / "out"), "--json"]) == 0
    assert json.loads(capfd.readouterr().out)["rejected"] == {"2 columns where 3 were expected": 1}
    (rejected,) = (tmp_path / "out" / "rejected").iterdir()
    row = json.loads(rejected.read_text())
    assert row == {
        "file": "short.csv",
        "line": 202,
        "reason": "2 columns where 3 were expected",
        "text": "1,u1",
    }


def test_missing_files_are_refused(tmp_path, capfd):
    assert "not found" in refused(
        capfd, 1, "features", "--data", str(tmp_path / "no.csv"), "--out", str(tmp_path / "out")
    )
    assert "not a features folder" in refused(
        capfd, 1, "train", "--features", str(tmp_path), "--model", "mlp", "--out", str(tmp_path / "m")
    )
    assert "no model folder" in refused(
        capfd,
        1,
        "evaluate",
        "--model",
        str(tmp_path / "m"),
        "--data",
        str(tmp_path),
        "--out",
        str(tmp_path / "e"),
    )
    assert "configuration" in refused(capfd, 1, "run", str(tmp_path / "no.yaml"))


def test_wrong_use_exits_with_2(tmp_path, capfd):
    features = ["train", "--features", str(tmp_path), "--out", str(tmp_path / "m")]
    assert "dcnv2" in refused(capfd, 2, *features, "--model", "dcnv3")
    assert "NAME=VALUE" in refused(capfd, 2, *features, "--model", "mlp", "--set", "epochs")
    assert "epochs" in refused(capfd, 2, *features, "--model", "mlp", "--set", "epoch=3")
    assert "'hidden=[16'" in refused(capfd, 2, *features, "--model", "mlp", "--set", "hidden=[16")
    assert "unknown argument" in refused(capfd, 2, *features, "--model", "mlp", "--fast")
    assert "seed must be a whole number, not '2020-13-45'" in refused(
        capfd, 2, *features, "--model", "mlp", "--set", "seed=2020-13-45"
    )
    assert "not a features folder" in refused(
        capfd, 1, *features, "--model", "mlp", "--set", "learning_rate=1e-3"
    )
    assert "takes no --rows" in refused(capfd, 2, "bench", "scoring", "--rows", "5")
    assert "takes no --work" in refused(capfd, 2, "bench", "features", "--work", "here")
    assert "makes its own data" in refused(capfd, 2, "bench", "supernet", "--dataset", "frappe")
    data = write(tmp_path / "data.csv", HEADER + ROWS)
    made = ["features", "--data", data, "--out", str(tmp_path / "out")]
    assert "Dask" in refused(capfd, 2, *made, "--runner", "DaskRunner")
    assert "unknown argument '--lable'" in refused(capfd, 2, *made, "--lable", "click")
    assert not (tmp_path / "out" / "manifest.json").exists()
    assert "made-up data have a label of their own" in refused(
        capfd, 2, "features", "--data", "synthetic:rows=9,seed=1", "--out", "o", "--label", "x"
    )
    assert "the schema names the label" in refused(capfd, 2, *made, "--schema", "frappe", "--label", "x")
    assert "by --models DIR or by --model-config FILE" in refused(capfd, 2, "serve")
    wrong = (["features"], [*made, "--max-rejected", "2"], ["bench", "features", "--rows", "0"])
    for arguments in (*wrong, ["bench", "search", "--dataset", "iris"]):
        refused(capfd, 2, *arguments)
    for arguments in ([], ["fly"]):
        assert main(arguments) == 2
        assert capfd.readouterr().err.startswith("recfactory: ")


def test_benchmarks_know_the_data_sets_that_are_named():
    assert set(DATASETS) == set(SETTINGS)


def test_a_refusal_is_json_too(tmp_path, capfd):
    assert main(["features", "--data", str(tmp_path / "no.csv"), "--out", str(tmp_path), "--json"]) == 1
    said = json.loads(capfd.readouterr().out)
    assert said["exit_code"] == 1
    assert "was not found" in said["error"]
    assert main(["features", "--json"]) == 2
    assert "arguments are required: --data, --out" in json.loads(capfd.readouterr().out)["error"]


def test_a_full_disk_is_no_stack_trace(capfd, monkeypatch):
    def full(*_):
        raise OSError(28, "No space left on device")

    monkeypatch.setattr("recfactory.cli.data.features", full)
    assert main(["features", "--data", "a", "--out", "b"]) == 1
    assert capfd.readouterr().err == "recfactory features: No space left on device\n"


def test_a_share_that_is_no_number(capfd):
    command = ["features", "--data", "a", "--out", "b", "--max-rejected", "few"]
    assert "few is not between 0 and 1; see `recfactory features --help`" in refused(capfd, 2, *command)


def test_publishing_is_quiet(tmp_path):
    script = (
        "import sys; from recfactory.cli import main; import serving.publish as p\n"
        "p.publish = lambda *_: __import__('tensorflow') and {'path': 'x'}\n"
        "main(['publish', '--model', 'm', '--evaluation', 'e', '--to', 't'])"
    )
    done = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=True)
    assert done.stderr == "  published as x\n"


def test_a_port_in_use_is_named(tmp_path, capfd):
    (tmp_path / "models").mkdir()
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        port = taken.getsockname()[1]
        said = refused(
            capfd,
            1,
            "serve",
            "--models",
            str(tmp_path / "models"),
            "--grpc-port",
            str(port),
            "--rest-port",
            "0",
        )
    assert str(port) in said


def test_doctor_reports_as_json(capfd):
    code = main(["doctor", "--json"])
    found = json.loads(capfd.readouterr().out)
    assert found["packages"]["tensorflow"]
    assert code == (0 if found["healthy"] else 1)


def test_help_needs_no_tensorflow():
    script = "import sys; from recfactory.cli import main\ntry: main(['--help'])\nexcept SystemExit: pass\n"
    heavy = "print([name for name in ('tensorflow', 'apache_beam', 'pyarrow') if name in sys.modules])"
    done = subprocess.run([sys.executable, "-c", script + heavy], capture_output=True, text=True, check=True)
    assert done.stdout.splitlines()[-1] == "[]"


@pytest.fixture(scope="module")
def features(tmp_path_factory):
    folder = tmp_path_factory.mktemp("features")
    data = write(folder / "clicks.csv", HEADER + ROWS)
    assert main(["features", "--data", data, "--label", "click", "--out", str(folder / "features")]) == 0
    return folder / "features"


def test_hardware_is_read_and_the_oracle_fits():
    assert with_defaults({"trials": 5}) == {"oracle": "fgps", "trials": 5}
    assert with_defaults({"objectives": ["logloss", "macs"]})["oracle"] == "pareto"
    found = with_defaults({"hardware": "handcrafted", "oracle": "evolution"})
    assert found["oracle"] == "evolution"
    assert found["hardware"]["base"]["machine"] == "pim"
    assert "objectives" not in found
    found = with_defaults({"hardware": "handcrafted"})
    # Who searches hardware wants to know what it takes, unless there is a budget for that.
    assert found["objectives"] == ("logloss", "energy", "latency")
    assert "objectives" not in with_defaults({"hardware": "isaac", "constraints": ["energy<=2e-8"]})
    assert with_defaults({"hardware": "isaac", "objectives": ["auc"]})["objectives"] == ["auc"]


@pytest.mark.parametrize(
    ("values", "says"),
    [
        ("choices: {rows: [64, 9999]}", "choices: rows: none of 200 machines with 9999 can be built"),
        ("activation_bits: [40]", "activation_bits must be whole numbers"),
    ],
)
def test_hardware_that_cannot_be_is_told_with_its_file(tmp_path, values, says):
    file = write(tmp_path / "codesign.yaml", f"base: handcrafted\n{values}\n")
    with pytest.raises(UsageError) as raised:
        with_defaults({"hardware": file})
    assert str(raised.value).startswith(f"{file}: {says}")


@pytest.mark.parametrize(
    ("arguments", "says"),
    [
        (["--resume"], "holds no search to go on with; leave out --resume"),
        (["--plan", "nowhere.json", "--minutes", "3"], "leave out --minutes"),
        (["--plan", "nowhere.json"], "'nowhere.json' is no plan of a search"),
        (["--oracle", "magic"], "search: oracle must be one of fgps"),
        (["--set", "shot.epohcs=1"], "did you mean 'epochs'"),
        (["--set", "sizes.dense_dims=[]"], "dense_dims must be a list of whole numbers"),
        (["--constraint", "macs"], "constraint 'macs': write NAME<=NUMBER"),
        (["--constraint", "macs<=1", "--constraint", "macs>=2"], "contradict each other"),
        (["--constraint", "macs<=1"], "no candidate keeps macs<=1; the nearest found has"),
        (
            ["--set", "shot=3", "--set", "shot.epochs=1"],
            "'shot' was given a value itself; give one of the two",
        ),
        (["--trials", "1"], "search: trials must be 2 or more"),
        (["--objectives", "logloss,beauty"], "objectives must be some of logloss, auc, macs, params"),
        (["--objectives", "logloss,macs", "--oracle", "fgps"], "pareto"),
        (["--objectives", "logloss,energy"], "with hardware also of energy_j"),
        (["--constraint", "flops<=1"], "constraints must be on logloss, auc, macs, params"),
        (["--set", "space=tiny"], "space must be one of small, full"),
        (["--set", "options.foo=1"], "options: there is no entry 'foo'; there are predictor, evolution"),
        (["--set", "options.predictor.folds=1"], "predictor: folds must be 2 or more"),
        (["--set", "options.evolution.children=0"], "evolution: children must be 1 or more"),
        (["--oracle", "random", "--set", "options.population=8"], "no entry 'population'; there are none"),
        (["--oracle", "pareto", "--set", "options.population=-5"], "population must be 2 or more"),
        (["--set", "objectives=3"], "search: objectives must be a list"),
        (["--set", "objectives="], "search: objectives must be"),
        (["--set", "start=best.json"], "search: start must be a list"),
        (["--set", "trials=.inf"], "trials must be a whole number"),
        (["--set", "shot.learning_rate=.inf"], "learning_rate must be finite"),
        (["--set", "sizes.numbers=5"], "numbers is a count of the data's columns"),
        (["--set", "sizes.preset=full"], "unknown key 'preset'"),
        (["--set", "sizes={1: 2}"], "sizes: the name of an entry must be text, not 1"),
        (["--hardware", "handcrafted", "--set", "scoring.refit_rows=0"], "refit_rows must be above 0"),
        (["--hardware", "nowhere.yaml"], "there is neither hardware nor a file 'nowhere.yaml'"),
    ],
)
def test_searches_that_cannot_be(tmp_path, features, capfd, arguments, says):
    out = tmp_path / "out"
    assert main(["search", "--features", str(features), "--out", str(out), *arguments]) in (1, 2)
    told = [line for line in capfd.readouterr().err.splitlines() if line.startswith("recfactory search: ")]
    assert len(told) == 1
    assert says in told[0]
    assert not out.exists()
