import pytest

from pipelines.evaluation.thresholds import Bounds, Confidence, Slices, load_thresholds
from recfactory.errors import UserError

FULL = """
metrics:
  auc: {min: 0.75}
  calibration: {min: 0.9, max: 1.1}
slices:
  columns: [weekday]
  min_examples: 500
  metrics: {auc: {min: 0.6}}
baseline:
  auc: {min_gain: -0.001}
  logloss: {min_gain: 0}
confidence: {replicates: 100, level: 0.9, judge: bound}
"""


def test_a_whole_file(tmp_path):
    file = tmp_path / "thresholds.yaml"
    file.write_text(FULL)
    found = load_thresholds(file)
    assert found.metrics == {"auc": Bounds(0.75, None), "calibration": Bounds(0.9, 1.1)}
    assert found.slices == Slices(("weekday",), 500, {"auc": Bounds(0.6, None)})
    assert found.min_gain == {"auc": -0.001, "logloss": 0.0}
    assert found.confidence == Confidence(100, 0.9, "bound")
    assert not found.empty


def test_nothing_asked_is_empty():
    assert load_thresholds(None).empty
    assert load_thresholds({"confidence": {"replicates": 50}}).empty


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("", "the file is empty"),
        ("metrics: {acu: {min: 0.7}}", "unknown key 'metrics.acu'; did you mean 'auc'"),
        ("metric: {auc: {min: 0.7}}", "unknown key 'metric'; did you mean 'metrics'"),
        ("metrics: {auc: {minimum: 0.7}}", "unknown key 'metrics.auc.minimum'; did you mean 'min'"),
        ("metrics: {auc: {min: '0.7'}}", "metrics.auc.min: expected a number, not '0.7'"),
        ("metrics: {auc: {min: .nan}}", "metrics.auc.min: must be a finite number"),
        ("metrics: {auc: {min: yes}}", "metrics.auc.min: expected a number, not 'yes'"),
        ("metrics: {auc: 0.7}", "metrics.auc: expected a mapping"),
        ("metrics: {auc: {}}", "metrics.auc: is empty"),
        ("metrics: {calibration: {min: 1.1, max: 0.9}}", "min 1.1 is above max 0.9"),
        ("slices: {min_examples: 0}", "slices.min_examples: must be at least 1"),
        ("slices: {metrics: {aucc: {min: 1}}}", "unknown key 'slices.metrics.aucc'; did you mean 'auc'"),
        ("baseline: {calibration: {min_gain: 0}}", "unknown key 'baseline.calibration'"),
        ("baseline: {auc: {gain: 0}}", "unknown key 'baseline.auc.gain'"),
        ("confidence: {level: 95}", "confidence.level: must be between 0 and 1"),
        ("confidence: {replicates: 3}", "confidence.replicates: must be between 20"),
        ("confidence: {judge: maybe}", "confidence.judge: must be estimate or bound"),
        ("- auc", "the file: expected a mapping"),
        ("metrics: {auc: {min: 0.7", "not valid YAML"),
    ],
)
def test_mistakes_are_told_with_the_file_and_the_key(tmp_path, text, said):
    file = tmp_path / "thresholds.yaml"
    file.write_text(text)
    with pytest.raises(UserError) as caught:
        load_thresholds(file)
    assert str(file) in str(caught.value)
    assert said in str(caught.value)
    assert "\n" not in str(caught.value)


def test_a_missing_file_is_told(tmp_path):
    with pytest.raises(UserError, match="there is no thresholds file"):
        load_thresholds(tmp_path / "none.yaml")
