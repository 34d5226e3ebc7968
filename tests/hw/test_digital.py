"""What runs on the digital unit, by hand."""

from dataclasses import replace

import numpy as np
import pytest
from breakdown import ACCESSES_S, PICO, REGISTER_J, by_component

from hw import Workload, attention, elementwise, estimate, matrix, pairs
from hw.circuit import resolve
from hw.digital import register_bits

MULTIPLY_ADD_J = (np.sqrt(0.2 * 3.1) + 0.1) * 32 / 45 * PICO
"""Factors of 16 bits: half-way between 8 bits, 0.2 pJ, and 32 bits, 3.1 pJ."""


def test_pairs_by_hand(handcrafted):
    pair = estimate(Workload.of([pairs("p", 20, 16)]), handcrafted)
    spent = by_component(pair)
    assert spent["digital"] == pytest.approx(6400 * MULTIPLY_ADD_J)
    # 64 lanes are an array of 8 x 8: what is read from the register serves 8 products.
    assert spent["input_register"] == pytest.approx(6400 * (16 / 8 + 16 / 8) * REGISTER_J)
    # Each vector is read once; of the products of two with each other one is kept.
    moved = (20 * 16 + 190) * 16
    assert spent["edram"] == pytest.approx(2 * moved / 256 * 20.45 * PICO)
    assert spent["bus"] == pytest.approx(moved * 0.054 * PICO)
    assert spent["router"] == pytest.approx(moved / 256 * 20.74 * PICO)
    # 6400 multiply-adds on 64 lanes are 100 cycles; 8,160 bits twice through a port of 256 bits are 64
    assert pair.interval_s[0] == pytest.approx(100 / 1.2e9)
    assert pair.latency_s[0] == pytest.approx(100 / 1.2e9 + ACCESSES_S)


def test_elementwise_work_by_hand(handcrafted):
    element = estimate(Workload.of([elementwise("e", 128)]), handcrafted)
    spent = by_component(element)
    assert spent.pop("digital") == pytest.approx(128 * MULTIPLY_ADD_J)
    assert not any(spent.values())
    assert element.latency_s[0] == pytest.approx(2 / 1.2e9)


def test_attention_by_hand(handcrafted):
    core = estimate(Workload.of([attention("a", 8, 16, heads=2)]), handcrafted)
    spent = by_component(core)
    # Scores and weighted sums, 8 * 8 * 16 each, and the softmax of 2 * 8 * 8 scores
    assert spent["digital"] == pytest.approx((2048 + 128) * MULTIPLY_ADD_J)
    assert spent["input_register"] == pytest.approx(2048 * (16 / 8 + 16 / 8) * REGISTER_J)
    # Queries, keys, values and results
    moved = 4 * 8 * 16 * 16
    assert spent["edram"] == pytest.approx(2 * moved / 256 * 20.45 * PICO)
    assert spent["bus"] == pytest.approx(moved * 0.054 * PICO)
    assert spent["router"] == pytest.approx(moved / 256 * 20.74 * PICO)
    # What is moved takes 64 cycles of the port; the arithmetic 34.
    assert core.latency_s[0] == pytest.approx(64 / 1.2e9 + ACCESSES_S)
    assert not core.on_crossbars.any()


def test_a_product_on_the_digital_unit_by_hand(changed):
    made = estimate(Workload.of([matrix("m", 16, 16, uses=16)]), changed(placement="cheaper"))
    assert not made.on_crossbars.any()
    spent = by_component(made)
    weights, values = 16 * 16 * 8, 16 * 32 * 8
    assert spent["digital"] == pytest.approx(4096 * 0.3 * 32 / 45 * PICO)
    assert spent["input_register"] == pytest.approx(4096 * (8 / 8 + 8 / 8) * REGISTER_J)
    assert spent["edram"] == pytest.approx((weights + 2 * values) / 256 * 20.45 * PICO)
    assert spent["bus"] == pytest.approx((weights + values) * 0.054 * PICO)
    assert spent["router"] == pytest.approx(values / 256 * 20.74 * PICO)
    assert spent["adc"] == 0
    # 4096 multiply-adds on 64 lanes; 10,240 bits through the port are 40 cycles
    assert made.interval_s[0] == pytest.approx(64 / 1.2e9)
    assert made.latency_s[0] == pytest.approx(64 / 1.2e9 + ACCESSES_S)


def test_what_lanes_share_by_hand(handcrafted):
    def read(operation, lanes):
        circuit = resolve([replace(handcrafted, lanes=lanes)])
        return register_bits(Workload.of([operation]), circuit)[0, 0]

    # Applied once: each weight is read for one product, each input for as many outputs as there are lanes.
    assert read(matrix("m", 10, 100), 64) == 1000 * (8 + 8 / 64)
    assert read(matrix("m", 10, 20), 64) == 200 * (8 + 8 / 20)
    # Three applications share weights, and leave 21 lanes for outputs.
    assert read(matrix("m", 10, 100, uses=3), 64) == 3000 * (8 / 3 + 8 / 21)
    assert read(matrix("m", 10, 100, uses=3, weight_bits=4), 64) == 3000 * (4 / 3 + 8 / 21)
    assert read(matrix("m", 10, 100, uses=3), 1) == 3000 * 16
    assert read(attention("a", 10, 16), 64) == 2 * 1600 * (16 / 8 + 16 / 8)
    # With 8 heads a score is multiplied with two numbers.
    assert read(attention("a", 10, 16, heads=8), 64) == 1600 * (16 / 8 + 16 / 8) + 1600 * (16 / 8 + 16 / 2)
    assert read(elementwise("e", 10), 64) == 0


def test_branches_share_the_digital_units_there_are(changed):
    branches = [pairs(f"p{i}", 20, 16) for i in range(10)]
    one, ten = (estimate(Workload.of(some), changed()) for some in (branches[:1], branches))
    assert ten.latency_s[0] == pytest.approx(10 * one.interval_s[0] + ACCESSES_S)
    # What follows them waits for all.
    last = matrix("m", 128, 32, uses=40, after=tuple(branch.name for branch in branches))
    followed = estimate(Workload.of([*branches, last]), changed())
    alone = estimate(Workload.of([replace(last, after=())]), changed())
    assert followed.latency_s[0] == pytest.approx(ten.latency_s[0] + alone.latency_s[0])
    many = estimate(Workload.of([*branches, matrix("m", 128, 32 * 97)]), changed())
    assert many.latency_s[0] == pytest.approx(1.4e-6)
