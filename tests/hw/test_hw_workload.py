import numpy as np
import pytest

from hw import HardwareError, Workload, attention, elementwise, lookup, matrix, pairs
from hw.workload import MATRIX, PAIRS


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
    with pytest.raises(HardwareError, match=r"rows of 'm' is 2\.7: write a whole number"):
        Workload.of([matrix("m", 2.7, 3)])


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
