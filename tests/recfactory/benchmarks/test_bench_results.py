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


def test_each_dataset_has_a_record_of_its_own(tmp_path):
    for dataset, figure in (("frappe", 1), ("kdd12", 2), ("frappe", 3)):
        path = keep_result("search", [{"logloss": figure}], tmp_path, dataset)
    kept = json.loads(path.read_text())
    assert {name: record["result"] for name, record in kept.items()} == {
        "frappe": [{"logloss": 3}],
        "kdd12": [{"logloss": 2}],
    }
    assert all(record["command"] and record["date"] for record in kept.values())
