"""How the gains of a co-design are explained."""

from dataclasses import replace

import numpy as np
import pytest

import hw
from hw import components
from hw.adc import LAWS
from hw.operation import MATRIX
from recfactory.benchmarks.gains import PARTS, cost, explain, four_bits, prices
from recfactory.codesign.designs import Design
from recfactory.codesign.workload import path_workload
from recfactory.features.layout import make_layout
from recfactory.quantise.precision import Bits, Crossbar, Precision, slots
from recfactory.space import make_space
from recfactory.space.genes import decode
from recfactory.space.sampling import sample_uniform

LAYOUT = make_layout(("a", "b", "c"), [("x", 1, 10), ("y", 3, 20), ("z", 1, 7)])
SPACE = make_space(LAYOUT, "small", dense_dims=(64, 128), sparse_dims=(16, 32), blocks=3)
SMALL, LARGE = sorted(
    decode(SPACE, sample_uniform(SPACE, 2, np.random.default_rng(1))), key=lambda path: path.macs
)
HANDCRAFTED = hw.load("handcrafted")


def design(path=SMALL, bits=4, machine=None):
    machine = machine or replace(HANDCRAFTED, adcs_per_crossbar=4, dac_bits=2, adc_bits=8)
    precision = Precision(dict.fromkeys(slots(SPACE), Bits(bits, bits)), 8, Crossbar.of(machine))
    return Design(path, precision, machine)


def test_steps_multiply_to_the_whole_gain():
    found = explain(LARGE, design(), LAYOUT)
    for score in ("energy_j", "latency_s"):
        product = np.prod([found["steps"][part][score] for part in PARTS])
        assert product == pytest.approx(found["against"]["handcrafted"][score])
        assert found["against"]["handcrafted"][score] > 1
    assert found["design"] == cost(*design()[:3], LAYOUT)


def test_what_is_as_in_the_base_gains_nothing():
    same = design(LARGE, 8, HANDCRAFTED)
    found = explain(LARGE, same, LAYOUT)
    for part in PARTS:
        assert found["steps"][part] == pytest.approx(dict.fromkeys(found["design"], 1.0))
    only_bits = explain(LARGE, design(LARGE, 4, HANDCRAFTED), LAYOUT)
    assert only_bits["steps"]["bits"]["energy_j"] > 1.5
    assert only_bits["fixed"]["bits"]["energy_j"] == pytest.approx(1)
    assert only_bits["fixed"]["hardware"] == pytest.approx(only_bits["against"]["handcrafted"])


def test_baselines_that_favour_themselves_leave_less_to_gain():
    found = explain(LARGE, design(), LAYOUT)["against"]
    for free, dear in (("handcrafted_replicated", "handcrafted"), ("recnmp_without_starts", "recnmp")):
        assert found[free]["latency_s"] < found[dear]["latency_s"]
        assert found[free]["energy_j"] == pytest.approx(found[dear]["energy_j"])
    assert found["handcrafted_cheaper"]["energy_j"] < found["handcrafted"]["energy_j"]
    assert found["recnmp_batched"]["energy_j"] < found["recnmp"]["energy_j"]
    assert found["recnmp_batched"]["interval_s"] < found["recnmp"]["interval_s"]


def test_where_the_products_are():
    there = explain(LARGE, design(), LAYOUT)
    assert there["on_crossbars"] == pytest.approx(there["against"]["handcrafted"])
    workload = path_workload(SMALL, LAYOUT)
    matrices = workload.macs[workload.kind == MATRIX].sum() / workload.macs.sum()
    assert there["crossbar_share"] == pytest.approx(matrices)
    both = explain(LARGE, design(machine=replace(HANDCRAFTED, placement="cheaper")), LAYOUT)
    assert both["crossbar_share"] < there["crossbar_share"]
    assert both["on_crossbars"]["energy_j"] < both["against"]["handcrafted"]["energy_j"]


def test_four_bits_alone_gain_what_the_bits_of_such_a_design_do():
    only_bits = explain(LARGE, design(LARGE, 4, HANDCRAFTED), LAYOUT)
    assert four_bits(LARGE, LAYOUT) == pytest.approx(only_bits["against"]["handcrafted"])


def test_prices_tell_what_an_architecture_costs(monkeypatch):
    before = prices(LARGE, LAYOUT)
    assert before["handcrafted"] == pytest.approx(cost(LARGE, None, HANDCRAFTED, LAYOUT), rel=1e-5)
    cells = replace(components.CELLS, power_w=2 * components.CELLS.power_w)
    monkeypatch.setattr(components, "CELLS", cells)
    assert prices(LARGE, LAYOUT) != before


def test_every_law_of_adcs_and_every_baseline():
    found = explain(LARGE, design(), LAYOUT)
    assert set(found["laws"]) == set(LAWS)
    assert found["laws"]["accelergy"]["handcrafted"] == pytest.approx(found["against"]["handcrafted"])
    assert found["against"]["recnmp"]["energy_j"] == pytest.approx(
        cost(LARGE, None, hw.load("recnmp"), LAYOUT)["energy_j"] / found["design"]["energy_j"]
    )
