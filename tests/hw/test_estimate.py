import time
from dataclasses import fields, replace

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from hw import HardwareError, Workload, attention, elementwise, estimate, load, lookup, matrix, pairs
from hw.circuit import resolve
from hw.digital import register_bits
from hw.estimate import CHUNK
from hw.memories import MEMORIES
from hw.result import Estimate
from hw.workload import PAIRS

NANO, PICO = 1e-9, 1e-12
ACCESSES_S = 200e-9
"""A stage of 100 ns to read from eDRAM, and one to write."""
REGISTER_J = 1.24e-3 / 1024 * 100e-9
"""Of a bit read: an IMA's 2 KB, which feed 1024 rows in 100 ns."""


def by_component(made):
    return dict(zip(made.components, made.energy_by_component[0], strict=True))


def test_a_product_by_hand(handcrafted):
    made = estimate(Workload.of([matrix("m", 200, 50)]), handcrafted)
    # 8 bits: 4 cells per weight, 200 columns of cells: 2 blocks of rows, 2 of columns; 8 cycles.
    assert made.arrays.tolist() == [[4]]
    spent = by_component(made)
    conversions = 8 * 50 * 4 * 2
    assert spent["adc"] == pytest.approx(conversions * 1.67 * PICO)
    assert spent["shift_add"] == pytest.approx(conversions * 0.021 * PICO)
    # 10 uW / 1024 and 0.23 mW / 1024, each for 100 ns
    assert spent["sample_hold"] == pytest.approx(conversions * 10e-6 / 1024 * 100e-9)
    assert spent["output_register"] == pytest.approx(conversions * 0.23e-3 / 1024 * 100e-9)
    # 200 rows driven for 2 blocks of columns in 8 cycles: 4 mW / 1024 and 1.24 mW / 1024 for 100 ns
    assert spent["dac"] == pytest.approx(200 * 2 * 8 * 4e-3 / 1024 * 100e-9)
    assert spent["input_register"] == pytest.approx(200 * 2 * 8 * 1.24e-3 / 1024 * 100e-9)
    # 2.4 mW / (8 * 128 * 128) for 100 ns
    assert spent["crossbar"] == pytest.approx(200 * 200 * 8 * 2.4e-3 / 131072 * 100e-9)
    moved = (200 + 50) * 8
    assert spent["edram"] == pytest.approx(2 * moved / 256 * 20.45 * PICO)
    assert spent["bus"] == pytest.approx(moved * 0.054 * PICO)
    assert spent["router"] == pytest.approx(moved / 256 * 20.74 * PICO)
    assert spent["digital"] == spent["memory"] == 0
    # 8 cycles of 100 ns, and 6 stages of the pipeline
    assert made.latency_s[0] == pytest.approx(1.4e-6)
    assert made.interval_s[0] == pytest.approx(0.8e-6)
    assert made.examples_per_second[0] == pytest.approx(1.25e6)
    assert made.power_w[0] == pytest.approx(made.energy_j[0] / 0.8e-6)


def test_copies_save_time_for_crossbars(changed):
    efc = Workload.of([matrix("efc", 32, 16, uses=16)])
    one, four, all_at_once = (estimate(efc, changed(copies=copies)) for copies in (1, 4, 99))
    assert one.latency_s[0] == pytest.approx((16 * 8 + 6) * 100e-9)
    assert four.latency_s[0] == pytest.approx((4 * 8 + 6) * 100e-9)
    assert all_at_once.latency_s[0] == pytest.approx((8 + 6) * 100e-9)
    assert [made.arrays[0, 0] for made in (one, four, all_at_once)] == [1, 4, 16]
    assert one.energy_j[0] == four.energy_j[0] == all_at_once.energy_j[0]


@pytest.mark.parametrize(
    ("settings", "cycles", "cycle_s"),
    [
        ({}, 8, 100e-9),
        ({"dac_bits": 2, "adc_bits": 8}, 4, 100e-9),
        ({"dac_bits": 3, "adc_bits": 8}, 3, 100e-9),
        ({"cols": 256}, 8, 200e-9),  # 256 columns / 1.28 GS/s
        ({"cols": 256, "adcs_per_crossbar": 2}, 8, 100e-9),
        ({"adcs_per_crossbar": 4}, 8, 100e-9),  # a read takes 100 ns
        ({"activation_bits": 4}, 4, 100e-9),
    ],
)
def test_cycles(changed, settings, cycles, cycle_s):
    made = estimate(Workload.of([matrix("m", 64, 16)]), changed(**settings))
    assert made.interval_s[0] == pytest.approx(cycles * cycle_s)
    assert made.latency_s[0] == pytest.approx((cycles + 6) * cycle_s)


def test_bits_of_an_operation_go_before_those_of_the_machine(handcrafted, isaac):
    said = Workload.of([matrix("m", 64, 16, weight_bits=4, activation_bits=4)])
    silent = Workload.of([matrix("m", 64, 16)])
    four = replace(handcrafted, weight_bits=4, activation_bits=4)
    assert estimate(said, handcrafted).energy_j == estimate(said, isaac).energy_j
    assert estimate(said, handcrafted).energy_j == estimate(silent, four).energy_j


def test_digital_operations_by_hand(handcrafted):
    shrink = 32 / 45
    pair = estimate(Workload.of([pairs("p", 20, 16)]), handcrafted)
    spent = by_component(pair)
    # Factors of 16 bits: half-way between 8 bits, 0.2 pJ, and 32 bits, 3.1 pJ.
    assert spent["digital"] == pytest.approx(6400 * (np.sqrt(0.2 * 3.1) + 0.1) * shrink * PICO)
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
    element = estimate(Workload.of([elementwise("e", 128)]), handcrafted)
    assert by_component(element)["edram"] == 0
    assert element.latency_s[0] == pytest.approx(2 / 1.2e9)
    core = estimate(Workload.of([attention("a", 8, 16, heads=2)]), handcrafted)
    # 4 * 8 * 16 numbers of 16 bits twice through the port; the arithmetic takes 34 cycles
    assert core.latency_s[0] == pytest.approx(64 / 1.2e9 + ACCESSES_S)
    assert not core.on_crossbars.any()


@pytest.mark.parametrize(
    ("kind", "reads", "energy_j", "first_s", "next_s"),
    [
        # 16 numbers of 8 bits: half a burst of 256 bits, a quarter of one of 512.
        ("edram", 10, 10 * 20.45e-12, 100e-9, 1 / 1.2e9),
        ("dram", 10, 10 * 8 * 1.3e-9, 30e-9, 45.75e-9 / 16),
        ("hbm", 10, 10 * 256 * 3.9e-12, 30e-9, 45.75e-9 / 128),
        ("nmp", 10, 10 * 8 * 1.3e-9 * 0.542, 30e-9 / 9.8, 45.75e-9 / 16 / 9.8),
    ],
)
def test_lookups_by_hand(changed, kind, reads, energy_j, first_s, next_s):
    made = estimate(Workload.of([lookup("l", 10, 16, 1_000_000)]), changed(memory=kind))
    assert by_component(made)["memory"] == pytest.approx(energy_j)
    assert made.latency_s[0] == pytest.approx(first_s + (reads - 1) * next_s)
    assert made.interval_s[0] == pytest.approx(reads * next_s)
    on_chip = dict(zip(made.area_parts, made.area_by_part[0], strict=True))["memory"]
    assert on_chip == pytest.approx(8e6 * 0.083e-6 / 524288 if kind == "edram" else 0)


def test_wide_rows_take_several_bursts(changed):
    made = estimate(Workload.of([lookup("l", 1, 65, 1)]), changed(memory="hbm"))
    assert made.energy_j[0] == pytest.approx(3 * 256 * 3.9 * PICO)  # 520 bits


def test_area_is_of_the_tiles_needed_and_of_one_at_least(changed):
    small = estimate(Workload.of([elementwise("e", 1)]), changed(lanes=1))
    tile = small.area_m2[0]
    assert tile * 1e6 == pytest.approx(0.372, rel=0.01)
    # 96 crossbars in a tile, of 128 x 32 weights of 8 bits each
    for crossbars, tiles in ((96, 1), (97, 2), (192, 2), (193, 3)):
        made = estimate(Workload.of([matrix("m", 128, 32 * crossbars)]), changed(lanes=1))
        assert made.area_m2[0] == pytest.approx(tiles * tile)
        assert made.utilisation[0] == pytest.approx(crossbars / (168 * 96))
    assert estimate(Workload.of([matrix("m", 128, 32 * 97)]), changed(tiles=1)).utilisation[0] > 1


def test_branches_take_the_longest(handcrafted):
    left, right = matrix("left", 64, 16, uses=3), matrix("right", 64, 16, uses=2)
    alone = {one.name: estimate(Workload.of([one]), handcrafted).latency_s[0] for one in (left, right)}
    last = matrix("last", 32, 1, after=("left", "right"))
    last_s = estimate(Workload.of([replace(last, after=())]), handcrafted).latency_s[0]
    together = estimate(Workload.of([left, right, last]), handcrafted)
    assert together.latency_s[0] == pytest.approx(alone["left"] + last_s)
    chained = estimate(Workload.of([left, replace(right, after=("left",)), last]), handcrafted)
    assert chained.latency_s[0] == pytest.approx(alone["left"] + alone["right"] + last_s)
    # The slowest stage sets the pace, however they are wired.
    assert together.interval_s[0] == chained.interval_s[0] == pytest.approx(24 * 100e-9)


def test_absent_operations_pass_on_what_they_wait_for(handcrafted):
    made = Workload.of(
        [matrix("a", 64, 16), matrix("b", 64, 16, after=("a",)), matrix("c", 16, 1, after=("b",))]
    )
    without = replace(made, kind=made.kind * np.array([1, 0, 1]))
    direct = Workload.of([matrix("a", 64, 16), matrix("c", 16, 1, after=("a",))])
    assert estimate(without, handcrafted).latency_s == estimate(direct, handcrafted).latency_s
    assert estimate(without, handcrafted).energy_j == estimate(direct, handcrafted).energy_j


@pytest.mark.parametrize("machine", ["handcrafted", "cpu"])
def test_absent_operations_cost_nothing_whatever_their_sizes(machine):
    sizes = np.full((1, 1), 9)
    names = ("rows", "columns", "uses", "elements", "stored", "weight_bits", "activation_bits")
    given = dict.fromkeys(names, sizes)
    made = estimate(Workload(("a",), kind=0 * sizes, waits=np.zeros((1, 1, 1), bool), **given), load(machine))
    assert made.energy_j.tolist() == made.latency_s.tolist() == [0]


def test_placement_takes_what_is_cheaper_for_each_operation(changed):
    # Few rows fill a crossbar badly, and every use converts again; the digital unit reads the weights once.
    made = Workload.of([matrix("narrow", 16, 16, uses=16), matrix("wide", 1024, 512, after=("narrow",))])
    chosen = estimate(made, changed(placement="cheaper"))
    assert chosen.on_crossbars.tolist() == [[False, True]]
    fixed = estimate(made, changed())
    assert chosen.energy_by_operation[0, 0] < fixed.energy_by_operation[0, 0]
    assert chosen.energy_by_operation[0, 1] == fixed.energy_by_operation[0, 1]
    assert chosen.arrays.tolist() == [[0, 8 * 16]]
    kept = dict(zip(chosen.area_parts, chosen.area_by_part[0] - fixed.area_by_part[0], strict=True))
    assert kept["edram"] == pytest.approx(16 * 16 * 8 * 0.083e-6 / 524288)


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


def test_a_batch_shares_weights_and_starts():
    one = load("recnmp")
    work = Workload.of([lookup("l", 10, 16, 1000), matrix("m", 100, 50, after=("l",)), pairs("p", 4, 8)])
    alone, together = (estimate(work, replace(one, batch=batch)) for batch in (1, 16))
    assert together.energy_by_operation[0, 1] == pytest.approx(
        5000 * 6.4e-12 + (5000 / 16 + 150) * 4 * 8.9e-12
    )
    assert together.energy_by_operation[0, ::2].tolist() == alone.energy_by_operation[0, ::2].tolist()
    # Read once, the weights no longer bound it: (5000 + 16 * 150) * 4 bytes take 64 ns, the arithmetic 87.
    assert together.latency_by_operation[0, 1] == pytest.approx(one.start_s + 16 * 5000 / one.macs_per_s)
    memory = MEMORIES["nmp"]
    fetch = memory.access_s + (16 * 10 - 1) * memory.interval_s
    assert together.latency_by_operation[0, 0] == pytest.approx(fetch)
    assert together.interval_s[0] == pytest.approx(together.latency_s[0] / 16)
    assert together.power_w[0] == pytest.approx(together.energy_j[0] / together.interval_s[0])


def test_rooflines_by_hand():
    cpu = load("cpu")
    operations = [
        lookup("l", 10, 16, 1000),
        matrix("bound by bytes", 100, 50, after=("l",)),
        matrix("bound by arithmetic", 100, 50, uses=1000, after=("l",)),
    ]
    made = estimate(Workload.of(operations), cpu)
    few, many = (100 * 50 + 150) * 4, (100 * 50 + 150 * 1000) * 4
    memory = MEMORIES["dram"]
    fetch = memory.access_s + 9 * memory.interval_s
    np.testing.assert_allclose(
        made.latency_by_operation,
        [[fetch, cpu.start_s + few / cpu.bytes_per_s, cpu.start_s + 5e6 / cpu.macs_per_s]],
    )
    # One machine: branches follow each other.
    assert made.latency_s[0] == pytest.approx(made.latency_by_operation.sum())
    np.testing.assert_allclose(
        made.energy_by_operation,
        [[10 * 8 * 1.3e-9, 5000 * 6.4e-12 + few * 8.9e-12, 5e6 * 6.4e-12 + many * 8.9e-12]],
    )
    assert np.isnan(made.area_m2[0])
    assert estimate(Workload.of(operations), replace(cpu, area_m2=1e-4)).area_m2[0] == 1e-4


def test_near_memory_processing_is_the_published_factors(isaac):
    fetch = Workload.of([lookup("l", 10, 16, 1000)])
    recnmp = load("recnmp")
    far = estimate(fetch, replace(recnmp, memory="dram"))
    near = estimate(fetch, recnmp)
    assert far.latency_s[0] / near.latency_s[0] == pytest.approx(9.8)
    assert 1 - near.energy_j[0] / far.energy_j[0] == pytest.approx(0.458)


def random_workload(rng, n, operations):
    def sizes(high):
        return rng.integers(0, high, (n, operations))

    kind, rows = rng.integers(0, 6, (n, operations)), sizes(600)
    return Workload(
        tuple(f"operation{i}" for i in range(operations)),
        kind=kind,
        rows=rows,
        columns=np.where(kind == PAIRS, rows, sizes(600)),
        uses=sizes(20),
        elements=sizes(600),
        stored=sizes(10**6),
        weight_bits=sizes(9),
        activation_bits=sizes(9),
        waits=np.tril(rng.random((n, operations, operations)) < 0.3, -1),
    )


def random_configs(rng, base, n):
    pick = {
        "rows": (64, 128, 256),
        "cols": (64, 128, 256),
        "cell_bits": (1, 2, 3),
        "dac_bits": (1, 2),
        "adc_bits": (5, 8),
        "adcs_per_crossbar": (1, 2),
        "copies": (1, 2, 4),
        "lanes": (16, 64),
        "memory": tuple(MEMORIES),
        "adc_law": ("accelergy", "murmann"),
        "placement": ("crossbar", "cheaper"),
        "imas_per_tile": (4, 12),
    }
    return [
        replace(base, **{name: type(values[0])(rng.choice(values)) for name, values in pick.items()})
        for _ in range(n)
    ]


ARRAYS = [
    field.name for field in fields(Estimate) if field.name not in {"operations", "components", "area_parts"}
]


def assert_equal(left, right):
    for name in ARRAYS:
        np.testing.assert_allclose(getattr(left, name), getattr(right, name), rtol=1e-12, err_msg=name)


@given(st.integers(0, 2**32), st.booleans())
@settings(max_examples=15)
def test_many_at_once_are_the_same_one_by_one(seed, shared):
    rng = np.random.default_rng(seed)
    n = 6
    made, configs = random_workload(rng, n, 8), random_configs(rng, load("handcrafted"), n)
    if shared:
        made = replace(made, waits=made.waits[:1])
    together = estimate(made, configs)
    for row in range(n):
        one = estimate(made.take(slice(row, row + 1)), configs[row])
        assert_equal(replace_rows(together, slice(row, row + 1)), one)
    first = made.take(slice(0, 1))
    assert_equal(estimate(first, configs), estimate(repeated(first, n), resolve(configs)))
    assert_equal(estimate(made, configs[0]), estimate(made, [configs[0]] * n))
    cpu = estimate(made, load("cpu"))
    assert_equal(replace_rows(cpu, slice(2, 3)), estimate(made.take(slice(2, 3)), load("cpu")))


def replace_rows(made, rows):
    return replace(made, **{name: getattr(made, name)[rows] for name in ARRAYS})


def repeated(made, n):
    names = [field.name for field in fields(Workload) if field.name != "names"]
    return Workload(made.names, **{name: np.repeat(getattr(made, name), n, axis=0) for name in names})


def test_chunks_are_joined(handcrafted):
    rng = np.random.default_rng(0)
    made = random_workload(rng, CHUNK + 3, 2)
    whole = estimate(made, handcrafted)
    assert len(whole) == CHUNK + 3
    assert_equal(
        replace_rows(whole, slice(CHUNK, None)), estimate(made.take(slice(CHUNK, None)), handcrafted)
    )


def test_sums_are_those_of_the_breakdowns(handcrafted):
    rng = np.random.default_rng(1)
    made = random_workload(rng, 50, 10)
    for machine in (random_configs(rng, handcrafted, 50), load("cpu")):
        whole = estimate(made, machine)
        np.testing.assert_allclose(whole.energy_by_component.sum(axis=1), whole.energy_j)
        np.testing.assert_allclose(whole.energy_by_operation.sum(axis=1), whole.energy_j)
        np.testing.assert_allclose(whole.area_by_part.sum(axis=1), whole.area_m2)
        assert whole.energy_by_component.shape == (50, len(whole.components))


def test_nothing_to_do_takes_nothing_but_a_tile(handcrafted):
    made = estimate(Workload.of([]), handcrafted)
    assert made.energy_j.tolist() == made.latency_s.tolist() == made.power_w.tolist() == [0]
    assert made.area_m2[0] > 0


def test_numbers_of_rows_must_fit(handcrafted):
    made = random_workload(np.random.default_rng(0), 3, 2)
    with pytest.raises(HardwareError, match="3 workloads and 2 configurations"):
        estimate(made, [handcrafted] * 2)
    with pytest.raises(HardwareError, match="no configuration"):
        estimate(made, [])


def test_a_hundred_thousand_pairs_take_less_than_a_minute(handcrafted):
    """A tenth of them, in a tenth of the time of one core; measured: 100,000 in 2 s."""
    rng = np.random.default_rng(0)
    rows = 10_000
    made = repeated(random_workload(rng, 1, 60), rows)
    sizes = rng.integers(0, 600, (rows, 60))
    made = replace(made, rows=sizes, columns=np.where(made.kind == PAIRS, sizes, made.columns))
    some = random_configs(rng, handcrafted, 100)
    begin = time.process_time()
    assert len(estimate(made, [some[place] for place in rng.integers(0, 100, rows)])) == rows
    assert time.process_time() - begin < 6


def test_of_several_machines_all_have_crossbars():
    with pytest.raises(HardwareError, match="estimate processors one by one"):
        estimate(Workload.of([matrix("m", 2, 3)]), [load("cpu")])


def test_branches_share_the_digital_units_there_are(changed):
    branches = [pairs(f"p{i}", 20, 16) for i in range(10)]
    one, ten = (estimate(Workload.of(some), changed()) for some in (branches[:1], branches))
    assert ten.latency_s[0] == pytest.approx(10 * one.interval_s[0])
    many = estimate(Workload.of([*branches, matrix("m", 128, 32 * 97)]), changed())
    assert many.latency_s[0] == pytest.approx(1.4e-6)
