from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import hw
from hw.operation import ABSENT, ATTENTION, LOOKUP, MATRIX, PAIRS
from hw.schedule import last_end
from recfactory.codesign.workload import path_workload, paths_workload, places
from recfactory.features.layout import make_layout
from recfactory.layers.forward import forward
from recfactory.quantise.precision import slots
from recfactory.space import make_space
from recfactory.space.genes import decode
from recfactory.space.sampling import sample_uniform
from recfactory.space.space import Space

HANDCRAFTED = hw.load("handcrafted")
LAYOUT = make_layout(("a", "b", "c"), [("x", 1, 10), ("y", 3, 20), ("z", 1, 7)])
FLAT = make_layout((), [("x", 1, 10), ("y", 1, 20), ("z", 1, 7)])
NARROW = {"dense_dims": (8, 16, 64), "sparse_dims": (4, 16), "blocks": 4, "merger_tokens": 3}
seeds = st.integers(0, 2**32 - 1)


def random_paths(space: Space, count: int, seed: int):
    rows = sample_uniform(space, count, np.random.default_rng(seed))
    return rows, decode(space, rows)


@pytest.mark.parametrize("preset", ["small", "full"])
@given(seed=seeds)
@settings(max_examples=15)
def test_macs_are_those_of_the_path(preset, seed):
    for layout in (LAYOUT, FLAT):
        space = make_space(layout, preset)
        rows, paths = random_paths(space, 20, seed)
        workload = paths_workload(space, rows, layout)
        products = np.isin(workload.kind, (MATRIX, PAIRS, ATTENTION))
        assert (workload.macs * products).sum(axis=1).tolist() == [path.macs for path in paths]
        assert path_workload(paths[0], layout).macs.sum() == paths[0].macs


@given(seed=seeds)
@settings(max_examples=10)
def test_many_paths_are_estimated_as_one_by_one(seed):
    space = make_space(LAYOUT, "full", **NARROW)
    rows, paths = random_paths(space, 6, seed)
    many = hw.estimate(paths_workload(space, rows, LAYOUT), HANDCRAFTED)
    for place, path in enumerate(paths):
        workload = path_workload(path, LAYOUT)
        assert not (workload.kind == ABSENT).any()
        one = hw.estimate(workload, HANDCRAFTED)
        for name in ("energy_j", "latency_s", "interval_s", "area_m2", "utilisation"):
            assert getattr(one, name)[0] == pytest.approx(getattr(many, name)[place])


@given(seed=seeds)
@settings(max_examples=20)
def test_the_wiring_is_that_of_the_forward_pass(seed):
    """Of operators whose steps run one after another: a walk along the forward pass tells when each ends."""
    for layout in (LAYOUT, FLAT):
        space = make_space(layout, "full", dense_operators=("fc", "sum"), **NARROW)
        _, (path,) = random_paths(space, 1, seed)
        workload = path_workload(path, layout)
        estimate = hw.estimate(workload, HANDCRAFTED)
        times = dict(zip(workload.names, estimate.latency_by_operation[0], strict=True))

        def run(part, ends, times=times):
            own = {n.split(".")[1]: t for n, t in times.items() if n.startswith(f"{part.name}.")}
            elements = own.pop("elements")
            if part.kind == "dense_to_sparse":
                return max(ends[0] + own["kernel"], ends[1]) + elements
            if part.kind == "fm":
                return max(ends[0], ends[1] + own["core"] + own["kernel"]) + elements
            return max(ends) + sum(own.values()) + elements

        looked_up = times["embedding.lookup"] + times.get("embedding.mean", 0.0)
        numbers = 0.0 if layout.dense else looked_up
        # As if each operation had a unit of its own: what shares one waits for other reasons than wiring.
        ends = last_end(estimate.latency_by_operation, workload.waits, ())
        assert ends[0] == pytest.approx(forward(path, (numbers, looked_up), run, max))


def test_branches_inside_an_operator_run_beside_each_other():
    space = make_space(LAYOUT, "small", dense_operators=("dot_product",), **NARROW)
    rows, _ = random_paths(space, 1, 0)
    workload = path_workload(decode(space, rows)[0], LAYOUT)
    waits = {
        name: {workload.names[other] for other in np.flatnonzero(row)}
        for name, row in zip(workload.names, workload.waits[0], strict=True)
    }
    assert waits["block_1_dot_product.project"] == set()  # reads dense columns alone
    assert waits["block_1_dot_product.reduce"] == {"embedding.mean"}
    assert waits["block_1_dot_product.pairs"] == {"block_1_dot_product.project", "block_1_dot_product.reduce"}


def test_bits_are_those_of_the_slots():
    space = make_space(LAYOUT, "full", **NARROW)
    rows, _ = random_paths(space, 5, 3)
    count = len(list(slots(space)))
    bits = np.random.default_rng(0).integers(4, 9, (5, count))
    workload = paths_workload(space, rows, LAYOUT, bits, bits + 1, np.arange(5) + 8)
    found = places(space)
    assert workload.weight_bits[:, 0].tolist() == [8, 9, 10, 11, 12]
    for place, slot in enumerate(slots(space)):
        own = found.role[slot]
        assert (workload.weight_bits[:, own] == bits[:, place, None]).all()
        assert (workload.activation_bits[:, own] == bits[:, place, None] + 1).all()


def test_all_slots_of_columns_are_looked_up_in_one_table():
    space = make_space(LAYOUT, "full", **NARROW)
    rows, _ = random_paths(space, 2, 3)
    workload = paths_workload(space, rows, LAYOUT)
    looked_up = workload.names.index("embedding.lookup")
    assert (workload.kind[:, looked_up] == LOOKUP).all()
    assert (workload.rows[0, looked_up], workload.columns[0, looked_up]) == (5, 16)
    assert workload.stored[0, looked_up] == 37 * 16
    mean = workload.names.index("embedding.mean")
    assert workload.elements[0, mean] == 5 * 16
    assert (paths_workload(space, rows, FLAT).kind[:, mean] == ABSENT).all()


def test_fewer_bits_never_cost_more():
    space = make_space(LAYOUT, "full", **NARROW)
    rows, _ = random_paths(space, 30, 5)
    few, many = (hw.estimate(paths_workload(space, rows, LAYOUT, b, b, b), HANDCRAFTED) for b in (4, 8))
    assert (few.energy_j < many.energy_j).all()
    assert (few.latency_s <= many.latency_s).all()


def test_an_operator_of_ones_own_needs_no_entry():
    from recfactory.space import operators
    from recfactory.space.operations import Linear

    own = replace(
        operators.operator("fc"),
        name="twice",
        operations=lambda reads: (Linear("one", reads.dense, reads.dim), Linear("two", reads.dim, reads.dim)),
    )
    operators.register(own)
    try:
        space = make_space(LAYOUT, "small", dense_operators=("twice",), **NARROW)
        rows, paths = random_paths(space, 5, 1)
        workload = paths_workload(space, rows, LAYOUT)
        assert workload.macs.sum(axis=1).tolist() == [path.macs for path in paths]
        names = path_workload(paths[0], LAYOUT).names
        assert {"block_4_twice.one", "block_4_twice.two", "block_4_twice.elements"} <= set(names)
    finally:
        del operators._OPERATORS["twice"]
        places.cache_clear()
