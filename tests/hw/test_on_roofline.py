"""What runs on processors, by hand."""

from dataclasses import replace

import numpy as np
import pytest

from hw import PRESETS, HardwareError, Workload, attention, elementwise, estimate, load, lookup, matrix, pairs
from hw.memories import MEMORIES


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


def test_what_has_no_weights_by_hand():
    # Arithmetic so slow, and so dear, that no operation is bound by its bytes.
    cpu = replace(load("cpu"), macs_per_s=1e6, energy_per_mac_j=1e-9)
    operations = [pairs("p", 20, 16), attention("a", 8, 16, heads=2), elementwise("e", 128)]
    computed = np.array([20 * 20 * 16, 2 * 8 * 8 * 16 + 2 * 8 * 8, 128])
    # Vectors and a product of each two; queries, keys, values and results; nothing
    moved = np.array([20 * 16 + 190, 4 * 8 * 16, 0]) * 4
    made = estimate(Workload.of(operations), cpu)
    np.testing.assert_allclose(made.energy_by_operation[0], computed * 1e-9 + moved * cpu.energy_per_byte_j)
    np.testing.assert_allclose(made.energy_by_component[0, 1], moved.sum() * cpu.energy_per_byte_j)
    starts = np.array([1, 1, 0]) * cpu.start_s
    np.testing.assert_allclose(made.latency_by_operation[0], starts + computed / 1e6)
    narrow = estimate(Workload.of(operations), replace(cpu, macs_per_s=1e18))
    np.testing.assert_allclose(narrow.latency_by_operation[0, :2], (starts + moved / cpu.bytes_per_s)[:2])


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


NO_WORK = [
    matrix("no uses", 100, 50, uses=0),
    matrix("no inputs", 0, 50),
    matrix("no outputs", 100, 0),
    pairs("no vectors", 0, 16),
    pairs("no length", 20, 0),
    attention("no tokens", 0, 16),
    elementwise("nothing", 0),
]


@pytest.mark.parametrize("machine", PRESETS)
@pytest.mark.parametrize("operation", NO_WORK, ids=lambda operation: operation.name)
def test_no_work_costs_nothing_anywhere(machine, operation):
    made = estimate(Workload.of([operation]), load(machine))
    assert made.energy_j.tolist() == made.latency_s.tolist() == [0]


def test_of_several_machines_all_have_crossbars():
    with pytest.raises(HardwareError, match="estimate processors one by one"):
        estimate(Workload.of([matrix("m", 2, 3)]), [load("cpu")])
