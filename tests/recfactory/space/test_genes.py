import numpy as np
import pytest
from hypothesis import given
from random_paths import random_rows, seeds, spaces

from recfactory.errors import UserError
from recfactory.space import Block, Path, Space
from recfactory.space.genes import choices, columns, decode, encode

TINY = Space(3, 2, blocks=2, dense_dims=(4, 8), sparse_dims=(2, 3, 5))


def test_a_row():
    path = Path(
        TINY,
        (
            Block("gating", 8, "efc", 5, (0,), (0,), 0, 0, False, True),
            Block("sum", 4, "attention", 2, (1,), (0, 1), 1, 0, True, False),
        ),
    )
    first, second = [1, 0, 1, 2, 0, 0, 0, 1, 1, 1], [2, 1, 0, 0, 1, 0, 1, 0, 0, 1, 1, 1]
    assert encode([path, path]).tolist() == [first + second] * 2
    assert choices(TINY) == (4, 2, 2, 3, 1, 1, 2, 2, 2, 2, 4, 2, 2, 3, 2, 2, 2, 2, 2, 2, 2, 2)
    c = columns(TINY)[1]
    assert (c.dense_operator, c.fm, c.dense_sources, c.sparse_sources) == (
        10,
        17,
        slice(18, 20),
        slice(20, 22),
    )


@given(spaces, seeds)
def test_both_ways(space, seed):
    rows = random_rows(space, 5, seed)
    paths = decode(space, rows)
    assert encode(paths).tolist() == rows.tolist()
    assert decode(space, encode(paths)) == paths
    assert columns(space)[-1].sparse_sources.stop == len(choices(space)) == rows.shape[1]


def test_paths_of_two_spaces_are_not_one_array():
    one, other = (decode(space, random_rows(space, 1, 0))[0] for space in (TINY, Space(4, 2, blocks=2)))
    with pytest.raises(UserError, match="different spaces"):
        encode([one, other])
    with pytest.raises(UserError, match="no paths"):
        encode([])


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (lambda rows: rows[:, 1:], r"have 22 columns, these are of shape \(2, 21\)"),
        (lambda rows: rows[0], r"these are of shape \(22,\)"),
        (lambda rows: np.where(np.arange(22) == 3, 3, rows), "row 0, column 3 must be 0 to 2, not 3"),
        (lambda rows: rows * 0 - 1, "row 0, column 0 must be 0 to 3, not -1"),
        (lambda rows: rows * 0, r"path, block 1: dense_sources must be 1 to 1 sources, not \(\)"),
    ],
)
def test_rows_that_are_no_paths(change, message):
    with pytest.raises(UserError, match=message):
        decode(TINY, change(random_rows(TINY, 2, 0)))
