"""What follows what, and what waits for it."""

import heapq
from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from hw import Workload, estimate, lookup, matrix
from hw.schedule import Shared, last_end


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


def test_lookups_share_one_memory(changed):
    few, many = [lookup("l", 10, 16, 1000)], [lookup(f"l{i}", 10, 16, 1000) for i in range(5)]
    one, five = (estimate(Workload.of(some), changed(memory="dram")) for some in (few, many))
    assert five.latency_s[0] == pytest.approx(one.latency_s[0] + 4 * one.interval_s[0])
    assert five.interval_s[0] == pytest.approx(5 * one.interval_s[0])


def one_by_one(times, waits, kinds):
    """The schedule of one network, an operation after the other."""
    free = [[0.0] * int(units) for _, units in kinds]
    ends = {}
    while len(ends) < len(times):
        ready, chosen = min(
            (max((ends[other] for other in np.flatnonzero(waits[each])), default=0.0), each)
            for each in range(len(times))
            if each not in ends and all(other in ends for other in np.flatnonzero(waits[each]))
        )
        for (busy, _), units in zip(kinds, free, strict=True):
            if busy[chosen] > 0:
                ready = max(ready, heapq.heappop(units))
                heapq.heappush(units, ready + busy[chosen])
        ends[chosen] = ready + times[chosen]
    return max(ends.values(), default=0.0)


@given(st.integers(0, 2**32), st.integers(1, 12), st.booleans())
@settings(max_examples=40)
def test_many_schedules_at_once_are_those_of_each(seed, operations, wired_alike):
    rng, n = np.random.default_rng(seed), 7
    on = rng.integers(0, 3, (n, operations))
    busy = rng.integers(1, 5, (n, operations)).astype(float)
    times = busy + rng.integers(0, 3, (n, operations))
    waits = np.tril(rng.random((1 if wired_alike else n, operations, operations)) < 0.3, -1)
    units = rng.integers(1, 4, (2, n)).astype(float)
    kinds = [Shared(np.where(on == kind, busy, 0.0), units[kind]) for kind in (0, 1)]
    found = last_end(times, waits, kinds)
    for row in range(n):
        of_row = [(kind.busy[row], kind.units[row]) for kind in kinds]
        assert found[row] == one_by_one(times[row], waits[0 if wired_alike else row], of_row)
        assert all(found[row] >= busy.sum() / count for busy, count in of_row)
