"""The way through an architecture, followed with words instead of tensors."""

from recfactory.layers.forward import forward
from recfactory.space import Block, Path, Space
from recfactory.space.mixture import Mixture

SPACE = Space(3, 2, blocks=3, dense_dims=(4, 8), sparse_dims=(2, 3), embedding_dim=8)


def told(path):
    calls = []

    def run(part, inputs):
        calls.append((part.number, part.kind, tuple(inputs)))
        return f"{part.kind}{part.number}"

    result = forward(path, ("x", "t"), run, "+".join, lambda made: f"mean({','.join(made)})")
    return result, calls


def test_who_reads_what():
    path = Path(
        SPACE,
        (
            Block("fc", 8, "efc", 3, (0,), (0,), 0, 0, True, True),
            Block("dot_product", 8, "attention", 2, (0, 1), (1,), 0, 1, False, False),
            Block("gating", 4, "efc", 2, (0,), (0, 2), 1, 2, True, True),
        ),
    )
    result, calls = told(path)
    assert result == "head3"
    assert calls == [
        (1, "fc", ("x",)),
        (1, "efc", ("t",)),
        # Both mergers read what the operators made, not each other.
        (1, "dense_to_sparse", ("fc1", "efc1")),
        (1, "fm", ("fc1", "efc1")),
        (2, "dot_product", ("x+fm1", "dense_to_sparse1")),
        (2, "attention", ("dense_to_sparse1",)),
        (3, "gating", ("fm1", "dot_product2")),
        (3, "efc", ("t+attention2",)),
        (3, "dense_to_sparse", ("gating3", "efc3")),
        (3, "fm", ("gating3", "efc3")),
        (3, "head", ("fm3", "dense_to_sparse3")),
    ]


def test_dead_parts_do_not_run():
    dead = Block("fc", 8, "efc", 3, (0,), (0,), 0, 0, True, True)
    last = Block("sum", 4, "efc", 2, (0,), (1,), 0, 0, False, False)
    _, calls = told(Path(SPACE, (dead, dead, last)))
    assert calls == [
        # The merger's tokens are read, and so the numbers that it makes them of.
        (1, "fc", ("x",)),
        (1, "efc", ("t",)),
        (1, "dense_to_sparse", ("fc1", "efc1")),
        (3, "sum", ("x", "x")),
        (3, "efc", ("dense_to_sparse1",)),
        (3, "head", ("sum3", "efc3")),
    ]


def test_a_mixture_averages_before_the_mergers():
    block = Block("fc", 8, "efc", 3, (0,), (0,), 0, 0, False, True)
    space = Space(3, 2, blocks=1, dense_dims=(4, 8), sparse_dims=(2, 3), embedding_dim=8)
    _, calls = told(Mixture(space, (block,), ((("fc", "sum"), ("efc", "attention")),)))
    assert calls[4:] == [
        (1, "fm", ("mean(fc1,sum1)", "mean(efc1,attention1)")),
        (1, "head", ("fm1", "mean(efc1,attention1)")),
    ]
