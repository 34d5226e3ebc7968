import numpy as np
import pytest

from recfactory.errors import UserError
from recfactory.space import operators
from recfactory.space.axes import first, whole
from recfactory.space.operations import Linear
from recfactory.space.operators import Operator, Reads, balanced_tokens, operator, register

DENSE = {"dense": whole(5), "sparse": whole(6), "left": whole(5), "right": whole(3), "widest": 9}


def reads(dim, dims, **others):
    return Reads(embedding_dim=4, dims=dims, dim=first(dim, max(dims)), **others)


def cost(parts):
    return sum(part.macs for part in parts), sum(part.params for part in parts)


# Worked out by hand; weights include a bias, and a gain and a shift where a layer is normalised.
@pytest.mark.parametrize(
    ("name", "dim", "macs", "params"),
    [
        ("fc", 8, 5 * 8, (5 + 3) * 8),
        # A gate for each of the 3 numbers that both sides have, then 3 -> 8.
        ("gating", 8, 5 * 3 + 3 * 8, 5 * 3 + 3 + (3 + 3) * 8),
        ("sum", 8, 5 * 8, (5 + 3) * 8),
        # As wide as its output: only a bias, a gain and a shift.
        ("sum", 5, 0, 3 * 5),
        # sqrt(16) = 4 tokens and the numbers' token make 10 pairs.
        (
            "dot_product",
            8,
            5 * 4 + 6 * 4 * 4 + 5 * 5 * 4 + 10 * 8,
            (5 + 1) * 4 + (6 + 1) * 4 + (10 + 3) * 8,
        ),
        ("efc", 3, 6 * 3 * 4, (6 + 3) * 3),
        (
            "attention",
            3,
            6 * 3 * 4 + 4 * 12 * 3 + 2 * 3 * 3 * 4 + 3 * 4 * 4 * 3,
            (6 + 1) * 3 + (4 + 1) * 12 + (4 + 3) * 4 + (4 + 1) * 4 + (4 + 3) * 4,
        ),
    ],
)
def test_cost_of_an_operator(name, dim, macs, params):
    assert cost(operator(name).operations(reads(dim, (3, 5, 8), **DENSE))) == (macs, params)


def test_cost_of_mergers_and_head():
    assert cost(operators.dense_to_sparse(whole(8), 4, 2)) == (8 * 8, (8 + 1) * 8)
    assert cost(operators.fm(whole(8), 4)) == (4 * 8, (4 + 1) * 8)
    assert cost(operators.head(whole(20))) == (20, 21)


@pytest.mark.parametrize("name", ["fc", "gating", "sum", "dot_product", "efc", "attention"])
def test_many_sizes_at_once_cost_the_same(name):
    left, right, dims = np.array([2, 7, 5]), np.array([4, 3, 5]), np.array([4, 7, 5])
    axes = {"dim": dims, "dense": left, "sparse": right, "left": left, "right": right}
    many = Reads(embedding_dim=4, dims=(4, 5, 7), widest=7, **{k: first(v, 9) for k, v in axes.items()})
    macs, params = cost(operator(name).operations(many))
    for i in range(3):
        sizes = {key: first(int(value[i]), 9) for key, value in axes.items()}
        one = Reads(embedding_dim=4, dims=(4, 5, 7), widest=7, **sizes)
        assert cost(operator(name).operations(one)) == (macs[i], params[i])


def test_balanced_tokens():
    assert [balanced_tokens(dim) for dim in (16, 128, 512, 1024)] == [6, 16, 32, 45]
    assert balanced_tokens(np.array([16, 1024])).tolist() == [6, 45]


def test_an_unknown_operator_is_told_the_near_name():
    with pytest.raises(UserError, match=r"there is no operator 'gatin'; there are fc.*did you mean 'gating'"):
        operator("gatin")


def test_a_name_is_taken_once():
    fc = operator("fc")
    assert register(fc) is fc
    other = Operator("fc", "dense", (), lambda reads: (Linear("kernel", reads.dense, reads.dim),), "m:C")
    with pytest.raises(ValueError, match="there is an operator 'fc' already"):
        register(other)
    assert operator("fc") is fc
