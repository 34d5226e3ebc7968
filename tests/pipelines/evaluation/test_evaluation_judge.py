import pytest

from pipelines.evaluation.judge import NO_THRESHOLDS, judge
from pipelines.evaluation.table import format_evaluation
from pipelines.evaluation.thresholds import load_thresholds


def spread(value, low=None, high=None):
    return {
        "value": value,
        "standard_error": 0.01,
        "low": value if low is None else low,
        "high": value if high is None else high,
    }


def metrics(**changes):
    names = ("auc", "logloss", "calibration", "normalized_entropy")
    return {
        "examples": 5000,
        "impossible": 0,
        "mean_label": 0.3,
        "mean_prediction": 0.31,
        "overall": {
            "auc": spread(0.80, 0.78, 0.82),
            "logloss": spread(0.40, 0.38, 0.42),
            "calibration": spread(1.02),
            "normalized_entropy": spread(0.8),
        },
        "undefined": {},
        "slices": [
            {
                "column": "day",
                "value": v,
                "examples": n,
                "judged": n >= 1000,
                "metrics": dict.fromkeys(names, a),
            }
            for v, n, a in (("mon", 4000, 0.79), ("tue", 10, 0.1))
        ],
        "baseline": None,
        "best_possible": None,
        "confidence": {"replicates": 200, "level": 0.95, "seed": 0},
        **changes,
    }


def reasons(thresholds, **changes):
    return judge(metrics(**changes), load_thresholds(thresholds))[1]


def test_no_thresholds_means_not_blessed():
    assert reasons(None) == [NO_THRESHOLDS]
    assert "no thresholds were given" in NO_THRESHOLDS


def test_passing_every_check_means_blessed():
    asked = {
        "metrics": {"auc": {"min": 0.8}, "logloss": {"max": 0.4}, "calibration": {"min": 0.9, "max": 1.1}}
    }
    checks, why = judge(metrics(), load_thresholds(asked))
    assert why == []
    assert len(checks) == 4
    assert all(check.passed for check in checks)


def test_a_failed_check_is_one_sentence():
    assert reasons({"metrics": {"auc": {"min": 0.81}}}) == [
        "auc is 0.800000, below the required minimum 0.81"
    ]
    assert reasons({"metrics": {"logloss": {"max": 0.3}}}) == [
        "logloss is 0.400000, above the allowed maximum 0.3"
    ]


def test_bound_judges_the_worse_end_of_the_interval():
    asked = {"metrics": {"auc": {"min": 0.79}, "logloss": {"max": 0.41}}}
    assert reasons(asked) == []
    assert reasons({**asked, "confidence": {"judge": "bound"}}) == [
        "auc may be as low as 0.780000, below the required minimum 0.79",
        "logloss may be as high as 0.420000, above the allowed maximum 0.41",
    ]


def test_what_could_not_be_computed_fails():
    overall = {**metrics()["overall"], "auc": None}
    why = reasons({"metrics": {"auc": {"min": 0}}}, overall=overall, undefined={"auc": "one class only"})
    assert why == ["auc could not be computed (one class only), so it fails min 0"]


def test_predictions_that_are_no_probabilities_are_never_blessed():
    why = reasons({"metrics": {"auc": {"min": 0.5}}}, impossible=7)
    assert why == ["7 of 5,000 predictions are no probabilities: NaN, or outside 0 to 1"]


def test_small_slices_are_not_judged():
    asked = {"slices": {"columns": ["day"], "metrics": {"auc": {"min": 0.8}}}}
    assert reasons(asked) == ["auc of the slice day=mon is 0.790000, below the required minimum 0.8"]


@pytest.mark.parametrize(("least", "passes"), [(0.0, True), (0.002, True), (0.0021, False), (-0.1, True)])
def test_gain_over_the_baseline(least, passes):
    base = {"overall": metrics()["overall"], "gain": {"auc": spread(0.002, -0.001, 0.005)}}
    why = reasons({"baseline": {"auc": {"min_gain": least}}}, baseline=base)
    assert (why == []) is passes
    strict = {"baseline": {"auc": {"min_gain": 0.0}}, "confidence": {"judge": "bound"}}
    assert reasons(strict, baseline=base) == [
        "the gain in auc over the baseline may be as low as -0.001000, less than the required +0"
    ]


def test_a_wanted_baseline_that_is_missing_fails():
    assert "there is none" in reasons({"baseline": {"auc": {"min_gain": 0.0}}})[0]


def test_the_table_shows_numbers_and_reasons():
    found = metrics(best_possible={"auc": 0.81, "logloss": 0.39, "regret": 0.01})
    text = format_evaluation(found, {"blessed": False, "reasons": ["auc is low"], "checks": []})
    assert "5,000 examples" in text
    assert "[0.780000, 0.820000]" in text
    assert "0.810000" in text
    assert "day=mon" in text
    assert text.endswith("not blessed:\n  - auc is low")
    blessed = format_evaluation(metrics(), {"blessed": True, "reasons": [], "checks": [{}, {}]})
    assert blessed.endswith("blessed: 2 checks passed")
