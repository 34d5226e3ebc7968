"""What is kept of a measurement."""

import json

from recfactory.benchmarks.results import keep_result


def test_a_result_names_its_command_date_and_machine(tmp_path):
    path = keep_result("features", {"rows": 3}, tmp_path)
    kept = json.loads(path.read_text())
    assert path == tmp_path / "features.json"
    assert kept["result"] == {"rows": 3}
    assert kept["command"].startswith("recfactory")
    assert kept["machine"]["cores"] >= 1
    assert len(kept["date"]) == 10
