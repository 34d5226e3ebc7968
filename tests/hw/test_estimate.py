"""Estimates of many pairs at once."""

import time
from dataclasses import fields, replace

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from hw import PRESETS, HardwareError, Workload, estimate, load
from hw.circuit import resolve
from hw.estimate import CHUNK
from hw.memories import MEMORIES
from hw.operation import PAIRS
from hw.result import Estimate


@pytest.mark.parametrize("machine", ["handcrafted", "cpu"])
def test_absent_operations_cost_nothing_whatever_their_sizes(machine):
    sizes = np.full((1, 1), 9)
    names = ("rows", "columns", "uses", "elements", "stored", "weight_bits", "activation_bits")
    given = dict.fromkeys(names, sizes)
    made = estimate(Workload(("a",), kind=0 * sizes, waits=np.zeros((1, 1, 1), bool), **given), load(machine))
    assert made.energy_j.tolist() == made.latency_s.tolist() == [0]


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


@pytest.mark.parametrize("machine", PRESETS)
@pytest.mark.parametrize("operations", [0, 3])
def test_of_no_networks_there_are_no_estimates(machine, operations):
    none = random_workload(np.random.default_rng(0), 0, operations)
    made = estimate(none, load(machine))
    assert len(made) == 0
    assert made.energy_by_operation.shape == made.on_crossbars.shape == (0, operations)


def test_numbers_of_rows_must_fit(handcrafted):
    made = random_workload(np.random.default_rng(0), 3, 2)
    with pytest.raises(HardwareError, match="3 workloads and 2 configurations"):
        estimate(made, [handcrafted] * 2)
    with pytest.raises(HardwareError, match="no configuration"):
        estimate(made, [])


def test_a_hundred_thousand_pairs_take_less_than_a_minute(handcrafted):
    """A tenth of them, in a tenth of the time of one core; measured: 100,000 in 6 s."""
    rng = np.random.default_rng(0)
    rows = 10_000
    made = repeated(random_workload(rng, 1, 60), rows)
    sizes = rng.integers(0, 600, (rows, 60))
    made = replace(made, rows=sizes, columns=np.where(made.kind == PAIRS, sizes, made.columns))
    some = random_configs(rng, handcrafted, 100)
    begin = time.process_time()
    assert len(estimate(made, [some[place] for place in rng.integers(0, 100, rows)])) == rows
    assert time.process_time() - begin < 6
