import re

import numpy as np
import pytest

from hw import PRESETS, HardwareError, Workload, attention, elementwise, estimate, load, lookup, matrix, pairs
from hw.operation import MATRIX, PAIRS


def test_multiply_accumulates_by_kind():
    made = Workload.of(
        [
            matrix("m", 10, 20, uses=3),
            pairs("p", 5, 16),
            attention("a", 7, 16, heads=8),
            elementwise("e", 100),
            lookup("l", 10, 16, 1000),
        ]
    )
    # 10*20*3; 5*5*16; scores and weighted sums 2*7*7*16
    assert made.macs.tolist() == [[600, 400, 1568, 0, 0]]
    assert made.elements.tolist() == [[0, 0, 8 * 49, 100, 0]]
    assert len(made) == 1


def test_what_waits_for_what():
    made = Workload.of([elementwise("a", 1), elementwise("b", 1), elementwise("c", 1, after=("a", "b"))])
    assert made.waits[0].tolist() == [[False] * 3, [False] * 3, [True, True, False]]


def test_names_must_be_there_once_and_before():
    with pytest.raises(HardwareError, match="two operations are called 'a'"):
        Workload.of([elementwise("a", 1), elementwise("a", 1)])
    with pytest.raises(HardwareError, match="'a' waits for 'b', which is not before it"):
        Workload.of([elementwise("a", 1, after=("b",)), elementwise("b", 1)])
    with pytest.raises(HardwareError, match="two operations are called 'a'"):
        Workload(("a", "b", "a"), **arrays())


NO_SIZES = [2.7, 4.0, np.nan, np.inf, "many", [3], None, True, np.True_, -1, 10**20]


@pytest.mark.parametrize("size", NO_SIZES)
def test_sizes_are_whole_numbers(size):
    said = re.escape(f"is {size!r}: write a whole number from 0 to ")
    makers = {
        "rows of 'm'": lambda: matrix("m", size, 3),
        "uses of 'p'": lambda: pairs("p", 3, size),
        "tokens of 'a'": lambda: attention("a", size, 16),
        "heads of 'a'": lambda: attention("a", 8, 16, heads=size),
        "elements of 'e'": lambda: elementwise("e", size),
        "stored of 'l'": lambda: lookup("l", 10, 16, size),
    }
    for place, make in makers.items():
        with pytest.raises(HardwareError, match=f"workload: {place} {said}"):
            Workload.of([make()])


@pytest.mark.parametrize("bits", [size for size in NO_SIZES if size is not None])
def test_bits_are_whole_numbers_or_none(bits):
    assert Workload.of([matrix("m", 2, 3, weight_bits=None)]).weight_bits.tolist() == [[0]]
    with pytest.raises(HardwareError, match=r"weight_bits of 'm' is .*: write a whole number from 0 to 32"):
        Workload.of([matrix("m", 2, 3, weight_bits=bits)])


def test_numpy_sizes_are_sizes():
    made = Workload.of([attention("a", np.int8(100), np.int8(100), heads=np.int8(100))])
    assert made.macs.tolist() == [[2 * 100**3]]
    assert made.elements.tolist() == [[100**3]]


@pytest.mark.parametrize("machine", PRESETS)
def test_the_largest_sizes_can_be_reckoned_with(machine):
    sides = [(10**9, 10**6, 1), (10**6, 10**9, 1), (10**6, 1, 10**9), (10**9, 10**9, 0)]
    made = Workload.of([matrix(f"m{i}", *side, uses=uses) for i, (*side, uses) in enumerate(sides)])
    found = estimate(made, load(machine))
    assert (found.energy_by_operation >= 0).all()
    assert (made.macs >= 0).all()
    with pytest.raises(HardwareError, match=r"rows x columns x uses is 1e\+18: at most 1e\+15"):
        Workload.of([matrix("m", 10**9, 10**9)])


def test_short_integers_do_not_wrap():
    short = {name: np.full((1, 1), 100, np.int8) for name in ("rows", "columns", "uses")}
    given = {**arrays(), **short, "waits": np.zeros((1, 1, 1), bool)}
    one = {name: array[:1, :1] for name, array in given.items()}
    assert Workload(("a",), **one).macs.tolist() == [[100**3]]


def arrays(**changes):
    one = np.ones((2, 3), np.int64)
    given = dict.fromkeys(
        ["rows", "columns", "uses", "elements", "stored", "weight_bits", "activation_bits"], one
    )
    return {"kind": one * MATRIX, **given, "waits": np.zeros((1, 3, 3), bool), **changes}


@pytest.mark.parametrize(
    ("changes", "said"),
    [
        ({"rows": np.ones((1, 3), np.int64)}, r"rows is of shape \(1, 3\)"),
        ({"uses": -np.ones((2, 3), np.int64)}, "uses has -1: nothing can be below 0"),
        ({"kind": np.full((2, 3), 6)}, "kind has 6"),
        ({"rows": np.full((2, 3), np.nan)}, "rows is of type float64: give whole numbers"),
        ({"stored": np.full((2, 3), 2**63, np.uint64)}, "stored has 9223372036854775808: at most"),
        ({"weight_bits": np.full((2, 3), 33)}, "weight_bits has 33: at most 32"),
        (
            {"kind": np.full((2, 3), PAIRS), "rows": np.full((2, 3), 2)},
            "vectors with each other",
        ),
        ({"waits": np.zeros((3, 3), bool)}, "waits is of shape"),
        ({"waits": np.ones((1, 3, 3), bool)}, "waits for a later one"),
    ],
)
def test_arrays_that_do_not_fit(changes, said):
    assert len(Workload(("a", "b", "c"), **arrays())) == 2
    with pytest.raises(HardwareError, match=said):
        Workload(("a", "b", "c"), **arrays(**changes))


def test_some_of_the_networks():
    made = Workload(("a", "b", "c"), **arrays(rows=np.arange(6).reshape(2, 3)))
    assert made.take(slice(1, 2)).rows.tolist() == [[3, 4, 5]]
    single = Workload.of([elementwise("a", 1)])
    assert single.take(slice(4, 9)) is single
