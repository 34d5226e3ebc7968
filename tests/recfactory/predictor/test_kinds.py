import numpy as np
from synthetic_losses import PATHS, SPACE

from recfactory.predictor.kinds import Kind, kinds_of, statistics
from recfactory.predictor.symbols import places_of
from recfactory.space.genes import columns


def test_each_column_is_of_one_kind():
    found = [at for kind in kinds_of(SPACE) for at in kind.columns]
    assert sorted(found) == list(range(len(PATHS.symbols)))


def test_kinds_hold_the_choices_they_are_named_after():
    kinds = {kind.name: kind for kind in kinds_of(SPACE)}
    second = columns(SPACE)[1]
    assert {second.dense_operator, second.sparse_operator} <= set(kinds["operators"].columns)
    assert {second.dense_to_sparse, second.fm} <= set(kinds["mergers"].columns)
    assert {second.left, second.right, second.dense_sources.start} <= set(kinds["wiring"].columns)
    sizes = dict(zip(kinds["dims"].columns, kinds["dims"].sizes, strict=True))
    assert sizes[second.dense_dim] == SPACE.dense_dims
    assert sizes[second.sparse_dim] == SPACE.sparse_dims
    for at, dims in sizes.items():
        assert PATHS.symbols[at] == 1 + len(dims)


def test_sizes_are_told_by_their_logarithms():
    assert statistics(Kind("dims", (0, 1), ((16, 32, 64), (8,)))) == [
        [0, 0],
        [1, -1],
        [1, 0],
        [1, 1],
        [0, 0],
        [1, 0],
    ]


def test_places_of_columns():
    np.testing.assert_array_equal(places_of([2, 3, 4], [2, 0]), [5, 6, 7, 8, 0, 1])
