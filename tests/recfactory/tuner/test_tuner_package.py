"""What stands in the package's own words."""

import inspect
import subprocess
import sys
import textwrap

import pytest
from small_features import write_features

from recfactory import tuner


def test_every_name_can_be_had():
    for name in tuner._PLACES:
        assert inspect.isclass(getattr(tuner, name))
        assert name in dir(tuner)
    with pytest.raises(AttributeError, match="no attribute 'Oracle'"):
        _ = tuner.Oracle


def test_the_ledger_needs_no_tensorflow():
    code = "import recfactory.tuner.ledger, recfactory.tuner.ranking, sys; assert 'keras' not in sys.modules"
    subprocess.run([sys.executable, "-c", code], check=True)


@pytest.mark.slow
def test_the_example_runs(tmp_path, monkeypatch, capsys):
    """Twice: the second time all is there."""
    write_features(tmp_path / "run" / "features")
    monkeypatch.chdir(tmp_path)
    lines = inspect.getdoc(tuner).split("\n\n    from", 1)[1].split("\nKilled at", 1)[0]
    example = textwrap.dedent("    from" + lines).replace(
        "max_trials=40, finalists=2", "max_trials=4, finalists=1"
    )
    found = [{}, {}]
    for names in found:
        exec(example, names)
        assert capsys.readouterr().out.splitlines()[2].split()[1] == "alone"
    assert found[0]["best"].values == found[1]["best"].values
    model, again = (names["model"] for names in found)
    assert model.count_params() == again.count_params()
