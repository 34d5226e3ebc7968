from functools import partial
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import hw
from recfactory.codesign.designs import Designs
from recfactory.codesign.hardware import Hardware
from recfactory.codesign.workload import path_workload
from recfactory.errors import UserError
from recfactory.features.layout import make_layout
from recfactory.quantise.precision import Bits
from recfactory.search.conformance import CHECKS, check_sampler
from recfactory.search.evolution import RegularisedEvolution
from recfactory.search.feasible import sample_feasible
from recfactory.search.metropolis import MetropolisEvolution
from recfactory.search.objectives import Constraint, Objective
from recfactory.search.pareto import ParetoEvolution
from recfactory.search.random_search import RandomSearch
from recfactory.search.rehearsal import SPACE, TINY

LAYOUT = make_layout(("a", "b", "c"), [("x", 1, 10), ("y", 1, 20)])
HANDCRAFTED = hw.load("handcrafted")
CHOICES = {
    "rows": (64, 128, 256),
    "cell_bits": (2, 4),
    "dac_bits": (1, 2),
    "adc_bits": (None, 6, 8),
    "copies": (1, 4),
}
GRID = Hardware(HANDCRAFTED, CHOICES, (4, 8), (4, 6, 8), (8, 16))
FEW = Hardware(HANDCRAFTED, {"copies": (1, 4)}, (4,), (8,), (8,))
DESIGNS, FEW_DESIGNS = Designs(SPACE, GRID, LAYOUT), Designs(TINY, FEW, LAYOUT)
ROWS = DESIGNS.sample(200, np.random.default_rng(0))
seeds = st.integers(0, 2**32 - 1)

SAMPLERS = {
    "random": (RandomSearch, (Objective("loss"),)),
    "evolution": (partial(RegularisedEvolution, population=8, children=3, trials=16), (Objective("loss"),)),
    "metropolis": (partial(MetropolisEvolution, round_size=4, trials=16), (Objective("loss"),)),
    "pareto": (partial(ParetoEvolution, population=8), (Objective("loss"), Objective("energy_j"))),
}


@pytest.mark.parametrize("name", CHECKS)
@pytest.mark.parametrize("sampler", SAMPLERS)
def test_samplers_conform(sampler, name):
    make, objectives = SAMPLERS[sampler]
    check_sampler(make, [name], objectives, 16, DESIGNS, FEW_DESIGNS)


@given(seed=seeds)
@settings(max_examples=10)
def test_what_is_drawn_and_varied_are_candidates(seed):
    rng = np.random.default_rng(seed)
    rows = DESIGNS.sample(30, rng)
    for some in (rows, DESIGNS.mutate(rows, rng, 3), DESIGNS.crossover(rows, rows[::-1], rng)):
        assert len(DESIGNS.decode(some)) == 30


def test_measures_are_those_of_each_candidate_alone():
    measured = DESIGNS.measure(ROWS[:20])
    for place, design in enumerate(DESIGNS.decode(ROWS[:20])):
        alone = hw.estimate(path_workload(design.path, LAYOUT, design.precision), design.machine)
        for name in ("energy_j", "latency_s", "area_m2", "utilisation"):
            assert measured[name][place] == pytest.approx(getattr(alone, name)[0])
        assert (measured["macs"][place], measured["params"][place]) == (design.path.macs, design.path.params)
        assert measured["adc_shortfall"][place] == design.machine.adc_shortfall


def test_an_architecture_is_the_same_with_other_bits_and_on_other_machines():
    rows = DESIGNS.around(ROWS[:1, DESIGNS.columns.path], 5, np.random.default_rng(0))
    assert len(np.unique(DESIGNS.genes(rows), axis=0)) > 1
    assert len(np.unique(DESIGNS.architectures(rows), axis=0)) == 1
    assert len(np.unique(DESIGNS.architectures(ROWS), axis=0)) > 1


@given(seed=seeds)
@settings(max_examples=3)
def test_equal_genes_are_equal_candidates(seed):
    rng = np.random.default_rng(seed)
    rows = np.concatenate([ROWS, DESIGNS.mutate(ROWS, rng), DESIGNS.mutate(ROWS, rng, 2)])
    genes, measured = DESIGNS.genes(rows), DESIGNS.measure(rows)
    designs = DESIGNS.decode(rows)
    seen = {}
    for place, own in enumerate(map(tuple, genes.tolist())):
        other = seen.setdefault(own, place)
        assert designs[place].path.genes == designs[other].path.genes
        assert designs[place][1:] == designs[other][1:]
        assert all(values[place] == values[other] for values in measured.values())
    assert len({(d.path.genes, str(d.precision), d.machine) for d in designs}) == len(seen)


def test_bits_of_dead_operators_do_not_count():
    rng = np.random.default_rng(1)
    changed = ROWS.copy()
    live = DESIGNS.genes(ROWS)[:, DESIGNS.columns.weights] > 0
    assert 0 < live.mean() < 1
    drawn = rng.integers(2, size=live.shape)
    changed[:, DESIGNS.columns.weights] = np.where(live, ROWS[:, DESIGNS.columns.weights], drawn)
    assert (DESIGNS.genes(changed) == DESIGNS.genes(ROWS)).all()


def test_adcs_that_lose_nothing_are_the_same_by_any_name():
    column = DESIGNS.columns.machine.start + list(CHOICES).index("adc_bits")
    rows = np.repeat(ROWS[:1], 2, axis=0)
    # 128 rows, 2 bits a cell, 1 bit a DAC: 8 bits lose nothing.
    rows[:, DESIGNS.columns.machine] = [1, 0, 0, 0, 0]
    rows[1, column] = 2
    assert (DESIGNS.genes(rows)[0] == DESIGNS.genes(rows)[1]).all()
    assert DESIGNS.decode(rows)[0] == DESIGNS.decode(rows)[1]


def test_candidates_around_paths_have_these_paths():
    rng = np.random.default_rng(3)
    rows = DESIGNS.sample(2, rng)
    paths = rows[:, DESIGNS.columns.path]
    found = DESIGNS.around(paths, 9, rng)
    np.testing.assert_array_equal(found[:, DESIGNS.columns.path], paths[[0, 1, 0, 1, 0, 1, 0, 1, 0]])
    assert len(np.unique(found, axis=0)) > 2
    designs = DESIGNS.decode(found)
    assert set(designs[0].precision.bits.values()) == {Bits(8, 8)}
    bits = DESIGNS.around(paths, 1000, rng)[:, DESIGNS.columns.bits].mean(axis=1)
    first, middle, last = bits.reshape(10, 100).mean(axis=1)[[0, 5, 9]]
    assert first > middle + 0.1 > last + 0.2


def test_genes_are_symbols():
    genes = DESIGNS.genes(DESIGNS.sample(5000, np.random.default_rng(2)))
    assert (genes.min(axis=0) >= 0).all()
    assert (genes.max(axis=0) < DESIGNS.symbols).all()


def test_mutations_change_paths_bits_and_machines():
    rng = np.random.default_rng(3)
    rows = np.repeat(ROWS[:1], 2000, axis=0)
    mutants = DESIGNS.mutate(rows, rng)
    path = (mutants[:, DESIGNS.columns.path] != rows[:, DESIGNS.columns.path]).any(axis=1)
    machine = (mutants[:, DESIGNS.columns.machine] != rows[:, DESIGNS.columns.machine]).any(axis=1)
    bits = (mutants != rows).any(axis=1) & ~path & ~machine
    assert path.mean() == pytest.approx(0.5, abs=0.05)
    assert machine.mean() == pytest.approx(0.25, abs=0.05)
    assert bits.mean() == pytest.approx(0.25, abs=0.05)
    # Those of the bits are where they matter.
    assert (DESIGNS.genes(mutants[bits]) != DESIGNS.genes(rows[bits])).any(axis=1).all()


def test_with_one_machine_and_one_precision_only_paths_change():
    fixed = Designs(SPACE, Hardware(HANDCRAFTED), LAYOUT)
    rng = np.random.default_rng(4)
    rows = fixed.sample(50, rng)
    mutants = fixed.mutate(rows, rng)
    assert (mutants[:, fixed.columns.path.stop :] == 0).all()
    assert (mutants != rows).any(axis=1).all()
    (design,) = fixed.decode(rows[:1])
    assert design.machine == hw.load("handcrafted").__class__(**{**vars(HANDCRAFTED), "adc_bits": 8})
    assert set(design.precision.bits.values()) == {Bits(8, 8)}


def test_a_processor_has_one_machine_and_no_area():
    designs = Designs(SPACE, Hardware(hw.load("cpu")), LAYOUT)
    rows = designs.crossover(
        *np.split(designs.sample(20, np.random.default_rng(0)), 2), np.random.default_rng(1)
    )
    measured = designs.measure(rows)
    assert "area_m2" not in measured
    assert not measured["adc_shortfall"].any()
    assert (measured["energy_j"] > 0).all()
    assert designs.decode(rows)[0].precision.crossbar is None


def test_candidates_that_do_not_fit_the_chip_are_left_out():
    small = Hardware(HANDCRAFTED, {"tiles": (1, 2), "imas_per_tile": (1,)}, (8,), (8,))
    designs = Designs(SPACE, small, LAYOUT)
    fits = (Constraint("utilisation", 1.0),)
    drawn = designs.sample(300, np.random.default_rng(0))
    assert (designs.measure(drawn)["utilisation"] > 1).any()
    rows = sample_feasible(designs, fits, 100, np.random.default_rng(0))
    assert len(rows) == 100
    assert (designs.measure(rows)["utilisation"] <= 1).all()


def test_a_machine_that_cannot_be_built_is_refused_and_never_drawn():
    grid = Hardware(HANDCRAFTED, {"rows": (128, 1024), "cell_bits": (2, 4), "adc_bits": (None, 8)})
    designs = Designs(SPACE, grid, LAYOUT)
    rows = designs.sample(500, np.random.default_rng(0))
    assert (designs.machines.places(rows[:, designs.columns.machine]) >= 0).all()
    assert len(np.unique(rows[:, designs.columns.machine], axis=0)) > 4
    bad = rows[:1].copy()
    bad[:, designs.columns.machine] = [1, 1, 0]  # 1024 rows of 4 bits would take an ADC of 13 bits
    for use in (designs.decode, designs.measure):
        with pytest.raises(UserError, match="row 0 asks for a machine that cannot be built"):
            use(bad)


def test_rows_of_something_else_are_refused():
    with pytest.raises(UserError, match="columns, these are of shape"):
        DESIGNS.decode(ROWS[:, 1:])
    bad = ROWS[:2].copy()
    bad[1, DESIGNS.columns.table] = 2
    with pytest.raises(UserError, match=f"row 1, column {DESIGNS.columns.table} must be 0 to 1, not 2"):
        DESIGNS.decode(bad)


@pytest.mark.slow
def test_a_hundred_thousand_candidates_take_less_than_a_minute():
    import time

    from recfactory.codesign.hardware import read_hardware
    from recfactory.space import make_space

    layout = make_layout(tuple("abcdefghijklm"), [(str(i), 1, 1000) for i in range(26)])
    designs = Designs(
        make_space(layout, "full"),
        read_hardware(Path(__file__).parents[3] / "examples" / "codesign.yaml"),
        layout,
    )
    rows = designs.sample(100_000, np.random.default_rng(0))
    begin = time.process_time()
    designs.measure(rows)
    assert time.process_time() - begin < 60
