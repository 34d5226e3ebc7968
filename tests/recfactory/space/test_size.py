import pytest
from random_paths import every_row

from recfactory.space import Space
from recfactory.space.size import number_of_paths


@pytest.mark.parametrize(
    "changes",
    [
        {},
        {"max_sources": 1},
        {"dense_operators": ("fc", "sum", "gating"), "dense_dims": (4, 8)},
        {"sparse_operators": ("efc", "attention"), "sparse_dims": (2, 3, 4)},
        {"blocks": 1},
    ],
)
def test_as_many_as_there_are(changes):
    tiny = {"blocks": 2, "dense_operators": ("fc",), "sparse_operators": ("efc",)}
    space = Space(3, 2, **{**tiny, "dense_dims": (4,), "sparse_dims": (2,), **changes})
    assert number_of_paths(space) == len(every_row(space))


def test_size_of_the_presets():
    # A block: 4 * 2 operators, 8 * 4 dims, 2 * 2 mergers; 1 3 7 ... subsets of either stream; two sides.
    full = 1024**7 * (1 * 3 * 7 * 15 * 30 * 56 * 98) ** 2 * (1 * 2 * 3 * 4 * 5 * 6 * 7) ** 2
    assert number_of_paths(Space(13, 26)) == full
    assert f"{full:.1e}" == "8.1e+43"
    small = Space(13, 26, dense_operators=("fc", "dot_product"), sparse_operators=("efc",))
    assert number_of_paths(small) == full // 4**7


def test_the_published_number_counts_less():
    assert f"{1024**7 * 2 ** (2 * sum(range(7))):.0e}" == "5e+33"
