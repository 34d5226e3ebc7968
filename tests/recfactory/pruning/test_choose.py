"""What is removed: the least worth, no more than needed, and all that follows from it."""

import numpy as np
import pytest
from cut_paths import PATHS, random_cut
from hypothesis import given, settings
from hypothesis import strategies as st

from recfactory.errors import UserError
from recfactory.pruning.anatomy import macs, operations, remaining
from recfactory.pruning.choose import remove, smallest
from recfactory.pruning.cut import RAW, close, copy, from_json, to_json, whole
from recfactory.pruning.groups import Place, groups
from recfactory.space import Block, Path, Space
from recfactory.space.operations import Linear
from recfactory.space.wiring import Part

SPACE = Space(3, 2, blocks=2, dense_dims=(4, 8), sparse_dims=(2,), embedding_dim=4)
CHAIN = Path(
    SPACE,
    (
        Block("fc", 4, "efc", 2, (0,), (0,), 0, 0, False, False),
        Block("fc", 8, "efc", 2, (0, 1), (0,), 0, 0, False, False),
    ),
)
FIRST, SECOND = Part(1, "dense", "fc"), Part(2, "dense", "fc")


def ones(path, cut):
    """Every weight worth 1."""
    return {
        (part, o.name): np.ones((o.inputs.size, o.outputs.size))
        for part in remaining(path, cut)
        for o in operations(path, cut, part)
        if isinstance(o, Linear) and o.inputs.size
    }


def worth(path, cut, values):
    return {group.place: group.worth for group in groups(path, cut, values)}


def test_a_channel_is_worth_its_column_and_the_rows_that_read_it():
    cut = whole(CHAIN)
    close(CHAIN, cut)
    values = ones(CHAIN, cut)
    values[FIRST, "kernel"][:, 2] = 3.0  # 3 weights
    values[SECOND, "kernel"][3 + 2] = 0.5  # 8 weights
    found = worth(CHAIN, cut, values)
    assert found[Place(FIRST, "out", 2, 3)] == pytest.approx((3 * 3.0 + 8 * 0.5) / 11)
    assert found[Place(FIRST, "out", 1, 2)] == 1.0
    # The second layer reads two sources, of which the one that is not raw is a group.
    assert found[Place(SECOND, 0, 3, 7)] == pytest.approx((3 * 8 + 8 * 0.5) / 32)
    assert Place(SECOND, 0, 3, 4) not in found  # no one else reads it: the same as the channel
    assert Place(SECOND, 0, 0, 3) not in found


def test_a_weight_that_is_used_often_costs_more():
    cut, embed = whole(CHAIN), Part(2, "sparse", "efc")
    close(CHAIN, cut)
    found = worth(CHAIN, cut, ones(CHAIN, cut))
    # 2 weights of its own, for each of the 4 numbers of a token, and 4 of the head, used once.
    assert found[Place(embed, "out", 0, 1)] == pytest.approx((2 + 4) / (2 * 4 + 4))


def test_raw_inputs_stay_while_what_reads_them_does():
    path = PATHS["dot products and attention"]
    cut = whole(path)
    close(path, cut)
    values = {key: np.full_like(value, key[0].number) for key, value in ones(path, cut).items()}
    left = remove(path, cut, groups(path, cut, values), 0.7 * macs(path, cut))
    for raw in RAW.values():
        np.testing.assert_array_equal(left[raw].out, cut[raw].out)


def test_the_least_worth_goes_and_what_follows_from_it():
    cut = whole(CHAIN)
    close(CHAIN, cut)
    values = ones(CHAIN, cut)
    values[FIRST, "kernel"][:, 2] = values[SECOND, "kernel"][3 + 2] = 0.0
    left = remove(CHAIN, cut, groups(CHAIN, cut, values), macs(CHAIN, cut) - 11)
    assert left[FIRST].out.tolist() == [True, True, False, True]
    assert left[SECOND].reads[0].tolist() == [True] * 5 + [False, True]
    assert macs(CHAIN, left) == macs(CHAIN, cut) - 3 - 8


def test_a_source_that_nobody_reads_is_gone_with_all_that_made_it():
    cut = whole(CHAIN)
    cut[SECOND].reads[0][3:] = False
    close(CHAIN, cut)
    assert not cut[FIRST].alive
    assert FIRST not in remaining(CHAIN, cut)
    assert cut[RAW["dense"]].out.all()


@pytest.mark.parametrize("name", PATHS)
@settings(max_examples=15)
@given(seed=st.integers(0, 10**6), share=st.floats(0.3, 0.95))
def test_the_target_is_kept_and_the_cut_is_closed(name, seed, share):
    path = PATHS[name]
    cut = whole(path)
    close(path, cut)
    rng = np.random.default_rng(seed)
    values = {key: rng.random(value.shape) for key, value in ones(path, cut).items()}
    target = share * macs(path, cut)
    left = remove(path, cut, groups(path, cut, values), target)
    assert 0 < macs(path, left) < macs(path, cut)
    if share > 0.6:  # a round takes no more than half of anything
        assert macs(path, left) <= target
    again = copy(left)
    close(path, again)
    assert to_json(again) == to_json(left) == to_json(from_json(path, to_json(left)))
    assert left[Part(4, "head", "head")].alive


@pytest.mark.parametrize("name", PATHS)
def test_every_matrix_has_the_places_it_had(name):
    path = PATHS[name]
    more, less = whole(path), random_cut(path, 3)
    for part in remaining(path, less):
        for was, now in zip(operations(path, more, part), operations(path, less, part), strict=True):
            if isinstance(was, Linear):
                assert set(now.inputs.places) <= set(was.inputs.places)
                assert set(now.outputs.places) <= set(was.outputs.places)
                assert len(set(now.inputs.places)) == now.inputs.size


def test_single_weights():
    worths = [np.array([[3.0, 1.0], [np.inf, 2.0]]), np.array([[0.5]])]
    gone = smallest(worths, [1, 4], excess=5)
    assert [flags.tolist() for flags in gone] == [[[False, True], [False, False]], [[True]]]
    assert not any(flags.any() for flags in smallest(worths, [1, 4], excess=0))
    (gone,) = smallest([np.array([[1.0]]), np.array([[2.0]])], [1, 4], excess=1)[1]
    assert gone  # it is worth more, but less for each time that it is used
    everything = smallest(worths, [1, 4], excess=100)
    assert not everything[0][1, 0]  # what is gone already cannot go again


def test_an_operator_of_ones_own_is_refused():
    from recfactory.space import Operator, register
    from recfactory.space.operators import _OPERATORS, operator

    fc = operator("fc")
    register(Operator("mine", "dense", fc.reads, fc.operations, fc.layer))
    try:
        space = Space(3, 2, blocks=1, dense_operators=("mine",), dense_dims=(4,), sparse_dims=(2,))
        path = Path(space, (Block("mine", 4, "efc", 2, (0,), (0,), 0, 0, False, False),))
        with pytest.raises(UserError, match="cannot prune the operator 'mine' of block 1, only fc"):
            whole(path)
    finally:
        del _OPERATORS["mine"]
