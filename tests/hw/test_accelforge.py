"""Rung 6: the ranking of layers by energy beside AccelForge's."""

import json
import runpy
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from scipy.stats import spearmanr

from hw import Workload, estimate, load, matrix
from hw.adc import LAWS

ROOT = Path(__file__).parents[2]
SCRIPT = ROOT / "benchmarks" / "accelforge_ranking.py"
RESULT = ROOT / "benchmarks" / "results" / "accelforge.json"
WANTED = 0.95


@pytest.mark.slow
def test_ranks_of_layers_are_those_of_accelforge(monkeypatch, tmp_path):
    accelforge = pytest.importorskip(
        "accelforge", reason="AccelForge is not installed (pip install accelforge, Python 3.12)"
    )
    monkeypatch.chdir(tmp_path)
    monkeypatch.syspath_prepend(str(accelforge.examples.path / "arches" / "compute_in_memory"))
    result = runpy.run_path(str(SCRIPT))["compare"](10, 1)
    assert min(result["spearman_of_layers"].values()) >= WANTED


def test_kept_ranking_is_of_this_estimator():
    """What was kept when AccelForge was installed still says what `hw` says now."""
    result = json.loads(RESULT.read_text(encoding="utf-8"))["result"]
    assert result["perceptrons"] == 50
    layers = [
        matrix(f"layer{i}", inputs, outputs, weight_bits=bits, activation_bits=bits)
        for i, (inputs, outputs, bits) in enumerate(each["layer"] for each in result["energies"])
    ]
    ours = estimate(Workload.of(layers), load("isaac")).energy_by_operation[0]
    np.testing.assert_allclose(ours, [each["hw_j"] for each in result["energies"]], rtol=1e-9)
    theirs = [each["accelforge_j"] for each in result["energies"]]
    for law in LAWS:
        machine = replace(load("isaac"), adc_law=law)
        rank = spearmanr(estimate(Workload.of(layers), machine).energy_by_operation[0], theirs).statistic
        assert rank == pytest.approx(result["spearman_of_layers"][law])
        assert rank >= WANTED


def test_kept_summary_is_of_what_was_kept():
    result = json.loads(RESULT.read_text(encoding="utf-8"))["result"]
    found = runpy.run_path(str(SCRIPT))["summary"](result["energies"])
    for name, values in found.items():
        for group, value in values.items():
            assert result[name][group] == pytest.approx(value)
    for ranks in found["spearman_by_bits"].values():
        assert ranks["hw"] > max(ranks["macs"], ranks["macs_times_bits"])
