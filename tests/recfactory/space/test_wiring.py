import numpy as np
from hypothesis import given
from random_paths import paths

from recfactory.space import Block, Path, Space
from recfactory.space.operations import Linear
from recfactory.space.sampling import largest
from recfactory.space.wiring import Part, all_parts, full_operations, live_parts, operations

TINY = Space(3, 2, blocks=2, dense_dims=(4, 8), sparse_dims=(2, 3), embedding_dim=2, merger_tokens=2)


def linears(parts):
    return [part for part in parts if isinstance(part, Linear)]


def full_sides(space, part):
    return {
        (made.name, made.variant): (made.inputs.full, made.outputs.full, made.vectors, made.by_output)
        for made in linears(full_operations(space, part))
    }


def test_parts():
    path = Path(
        TINY,
        (
            Block("fc", 8, "efc", 3, (0,), (0,), 0, 0, True, True),
            Block("sum", 4, "attention", 2, (0,), (1,), 0, 0, False, True),
        ),
    )
    assert list(live_parts(path)) == [
        Part(1, "dense", "fc"),
        Part(1, "sparse", "efc"),
        Part(1, "dense_to_sparse", "dense_to_sparse"),
        Part(2, "dense", "sum"),
        Part(2, "sparse", "attention"),
        Part(2, "fm", "fm"),
        Part(2, "head", "head"),
    ]
    assert len(list(all_parts(TINY))) == 2 * (4 + 2 + 2) + 1


def test_places_by_hand():
    path = Path(
        TINY,
        (
            Block("fc", 4, "efc", 2, (0,), (0,), 0, 0, True, False),
            Block("fc", 8, "efc", 3, (0, 1), (1,), 0, 1, False, False),
        ),
    )
    (fc,) = operations(path, Part(2, "dense", "fc"))
    # The 3 raw numbers, then 4 of the 8 that block 1 has room for.
    assert fc.inputs.places.tolist() == [0, 1, 2, 3, 4, 5, 6]
    assert (fc.inputs.full, fc.outputs.full) == (11, 8)
    (efc,) = operations(path, Part(2, "sparse", "efc"))
    # After the 2 raw tokens and room for 3: the 2 of block 1's operator, then the 2 of its merger.
    assert efc.inputs.places.tolist() == [2, 3, 5, 6]
    assert efc.inputs.full == 2 + 3 + 2
    (head,) = operations(path, Part(2, "head", "head"))
    # 8 numbers, then the first coordinates of 3 of 5 tokens, then the second ones.
    assert head.inputs.places.tolist() == [*range(8), 8, 9, 10, 13, 14, 15]
    assert head.inputs.full == 8 + 5 * 2


@given(paths)
def test_a_part_fits_into_the_supernets(path):
    everything = set(all_parts(path.space))
    for part in live_parts(path):
        assert part in everything
        room = full_sides(path.space, part)
        for made in linears(operations(path, part)):
            inputs, outputs, vectors, by_output = room[made.name, made.variant]
            assert (made.inputs.full, made.outputs.full) == (inputs, outputs)
            assert (made.vectors, made.by_output) == (vectors, by_output)
            for axis in (made.inputs, made.outputs):
                assert axis.size == len(axis.places) == len(np.unique(axis.places))
                assert axis.size == 0 or axis.size % axis.unit == 0
                assert axis.unit <= 1 or axis.places.tolist() == list(range(axis.size))
                assert axis.size == 0 or (axis.places.min() >= 0 and axis.places.max() < axis.full)


def test_the_largest_path_of_all_sources_fills_the_supernet():
    space = Space(3, 2, blocks=4, dense_dims=(4, 8), sparse_dims=(2, 3), embedding_dim=2)
    path = largest(space)
    for part in live_parts(path):
        for made, room in zip(operations(path, part), full_operations(space, part), strict=False):
            for axis, full in ((made.inputs, room.inputs), (made.outputs, room.outputs)):
                assert axis.size == full.size == full.full
