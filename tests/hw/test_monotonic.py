"""Rung 5: more work never costs less."""

from dataclasses import replace

from hypothesis import given, settings
from hypothesis import strategies as st

from hw import PRESETS, Workload, attention, elementwise, estimate, load, lookup, matrix, pairs

PIM = st.sampled_from(["isaac", "handcrafted"])
SIZES = st.integers(1, 2048)
BITS = st.integers(1, 16)
NOT_LESS = 1 - 1e-12


@st.composite
def machines(draw):
    return replace(
        load(draw(PIM)),
        rows=draw(st.sampled_from([32, 64, 128, 256])),
        cols=draw(st.sampled_from([32, 64, 128, 256])),
        cell_bits=draw(st.integers(1, 4)),
        dac_bits=draw(st.integers(1, 2)),
        adc_bits=draw(st.integers(4, 10)),
        adcs_per_crossbar=draw(st.sampled_from([1, 2, 4])),
        adc_law=draw(st.sampled_from(["accelergy", "doubling", "murmann"])),
        copies=draw(st.integers(1, 4)),
        memory=draw(st.sampled_from(["edram", "dram", "hbm", "nmp"])),
        placement=draw(st.sampled_from(["crossbar", "cheaper"])),
    )


def one(operation, machine):
    return estimate(Workload.of([operation]), machine)


def none_less(more, less):
    assert more.energy_j[0] >= less.energy_j[0] * NOT_LESS
    assert more.latency_s[0] >= less.latency_s[0] * NOT_LESS


@given(machines(), SIZES, SIZES, st.integers(1, 16), BITS, BITS, st.data())
@settings(max_examples=150)
def test_a_larger_matrix_product_takes_no_less_energy(
    machine, inputs, outputs, uses, weights, activations, data
):
    sizes = {"inputs": inputs, "outputs": outputs, "uses": uses}
    bits = {"weight_bits": weights, "activation_bits": activations}
    larger = data.draw(st.sampled_from([*sizes, *bits]))
    grown = {**sizes, **bits, larger: {**sizes, **bits}[larger] + data.draw(st.integers(1, 16))}
    less, more = one(matrix("m", **sizes, **bits), machine), one(matrix("m", **grown), machine)
    assert more.energy_j[0] >= less.energy_j[0] * NOT_LESS
    assert more.arrays[0, 0] >= less.arrays[0, 0] or machine.placement == "cheaper"
    if machine.placement == "crossbar":  # The cheaper place may be the faster one.
        none_less(more, less)
        assert more.area_m2[0] >= less.area_m2[0] * NOT_LESS


@given(
    st.sampled_from(PRESETS),
    st.sampled_from(
        [
            lambda n: matrix("m", n, 64),
            lambda n: pairs("p", n, 16),
            lambda n: pairs("p", 32, n),
            lambda n: attention("a", n, 16, 8),
            lambda n: elementwise("e", n),
            lambda n: lookup("l", n, 16, 1000),
            lambda n: lookup("l", 10, n, 1000),
        ]
    ),
    SIZES,
    st.integers(1, 100),
)
@settings(max_examples=150)
def test_more_of_anything_costs_no_less_anywhere(name, make, size, more):
    none_less(one(make(size + more), load(name)), one(make(size), load(name)))


@given(machines(), SIZES, SIZES)
@settings(max_examples=60)
def test_the_cheaper_place_is_not_dearer(machine, inputs, outputs):
    product = matrix("m", inputs, outputs, uses=4)
    chosen, fixed = (
        one(product, replace(machine, placement=placement)) for placement in ("cheaper", "crossbar")
    )
    assert chosen.energy_j[0] <= fixed.energy_j[0]


@given(machines(), st.integers(4, 9))
@settings(max_examples=60)
def test_finer_converters_cost_no_less(machine, bits):
    product = matrix("m", 300, 200)
    coarse, fine = (
        one(product, replace(machine, adc_bits=adc_bits, placement="crossbar"))
        for adc_bits in (bits, bits + 1)
    )
    assert fine.energy_j[0] >= coarse.energy_j[0]
    assert fine.area_m2[0] > coarse.area_m2[0]
