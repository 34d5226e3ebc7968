import keras
import numpy as np
import pytest
from nets import small_space

from recfactory.errors import UserError
from recfactory.space.genes import encode
from recfactory.space.mixture import Mixture, full_mixture
from recfactory.space.sampling import sample_uniform
from recfactory.supernet.samplers import ChosenPaths, FullWarmup, RandomPaths, Sandwich

SPACE = small_space(blocks=4)
ROWS = tuple(map(tuple, sample_uniform(SPACE, 5, np.random.default_rng(0)).tolist()))
SAMPLERS = {
    "random": RandomPaths(3),
    "single": RandomPaths(3, connections="single"),
    "any operators": RandomPaths(3, operators="any"),
    "chosen": ChosenPaths(3, ROWS),
    "warm-up": FullWarmup(RandomPaths(3), 40, 3),
    "sandwich": Sandwich(RandomPaths(3)),
    "both": FullWarmup(Sandwich(ChosenPaths(3, ROWS)), 40, 3),
}
every = pytest.mark.parametrize("sampler", SAMPLERS.values(), ids=SAMPLERS.keys())


def drawn(sampler, steps=range(60)):
    return [sampler.paths(SPACE, step) for step in steps]


@every
def test_a_step_has_its_paths_whatever_came_before(sampler):
    forward, backward = drawn(sampler), drawn(sampler, range(59, -1, -1))
    assert forward == backward[::-1]
    assert len({tuple(paths) for paths in forward}) > 3


@every
def test_serialization_round_trip(sampler):
    again = keras.saving.deserialize_keras_object(keras.saving.serialize_keras_object(sampler))
    assert type(again) is type(sampler)
    assert drawn(again) == drawn(sampler)


def test_seeds_differ():
    assert drawn(RandomPaths(1)) != drawn(RandomPaths(2))
    assert drawn(ChosenPaths(1, ROWS)) != drawn(ChosenPaths(2, ROWS))
    warm = [FullWarmup(RandomPaths(1), 60, seed) for seed in (1, 2)]
    assert drawn(warm[0]) != drawn(warm[1])


def test_random_paths():
    anyhow = [path for (path,) in drawn(RandomPaths(0), range(200))]
    assert not any(isinstance(path, Mixture) for path in anyhow)
    sizes = [len(path.blocks[3].dense_sources) for path in anyhow]
    # 1 + Binomial(3, 1/2).
    assert np.mean(sizes) == pytest.approx(2.5, abs=0.25)
    assert set(sizes) == {1, 2, 3, 4}
    single = [path for (path,) in drawn(RandomPaths(0, connections="single"))]
    assert all(len(b.dense_sources) == len(b.sparse_sources) == 1 for path in single for b in path.blocks)


def test_any_operators():
    mixtures = [path for (path,) in drawn(RandomPaths(0, operators="any"), range(200))]
    plain = [path for (path,) in drawn(RandomPaths(0), range(200))]
    others = 0
    for mixture, path in zip(mixtures, plain, strict=True):
        assert isinstance(mixture, Mixture)
        assert mixture.blocks == path.blocks
        for number, block in enumerate(mixture.blocks, 1):
            dense, sparse = mixture.operators(number)
            assert block.dense_operator in dense
            assert block.sparse_operator in sparse
            others += len(dense) - 1
    # Each of the three other dense operators with probability 1/2.
    assert others / (200 * 4) == pytest.approx(1.5, abs=0.15)


def test_the_full_supernet_is_drawn_ever_more_seldom():
    sampler, full = FullWarmup(RandomPaths(0), 1000, 7), full_mixture(SPACE)
    flags = np.array([paths == [full] for paths in drawn(sampler, range(1200))])
    assert flags[0]
    quarters = flags[:1000].reshape(4, 250).mean(1)
    # Probability 1 - t/1000, in the middle of each quarter.
    np.testing.assert_allclose(quarters, [0.875, 0.625, 0.375, 0.125], atol=0.1)
    assert not flags[1000:].any()
    others = [paths for paths, flag in zip(drawn(sampler, range(1200)), flags, strict=True) if not flag]
    steps = np.flatnonzero(~flags)
    assert others == [RandomPaths(0).paths(SPACE, int(step)) for step in steps]


def test_the_coin_says_nothing_of_the_path():
    """Though it has the base's seed: all operators are drawn from the start, when a path comes up seldom."""
    sampler, full = FullWarmup(RandomPaths(7), 1000, 7), [full_mixture(SPACE)]
    others = [paths[0] for paths in drawn(sampler, range(400)) if paths != full]
    for stream in ("dense", "sparse"):
        operators = getattr(SPACE, f"{stream}_operators")
        found = [getattr(path.blocks[0], f"{stream}_operator") for path in others]
        assert min(map(found.count, operators)) > 0.5 * len(found) / len(operators)


def test_chosen_paths_come_from_their_set():
    paths = [path for (path,) in drawn(ChosenPaths(0, ROWS), range(300))]
    rows = [tuple(row) for row in encode(paths).tolist()]
    assert set(rows) == set(ROWS)
    counts = [rows.count(row) for row in ROWS]
    assert min(counts) > 35
    with pytest.raises(UserError, match="there is no path to train on"):
        ChosenPaths(0, ())


def test_rows_may_be_an_array():
    array = ChosenPaths(3, np.array(ROWS, np.int16))
    assert drawn(array) == drawn(ChosenPaths(3, ROWS))
    again = keras.saving.deserialize_keras_object(keras.saving.serialize_keras_object(array))
    assert drawn(again) == drawn(array)


def test_a_sandwich_is_the_path_between_its_ends():
    for paths, (path,) in zip(drawn(Sandwich(RandomPaths(0))), drawn(RandomPaths(0)), strict=True):
        largest, smallest, own = paths
        assert own == path
        for form, end in ((largest, -1), (smallest, 0)):
            for block, other in zip(form.blocks, path.blocks, strict=True):
                assert block.dense_dim == SPACE.dense_dims[end]
                assert block.sparse_dim == SPACE.sparse_dims[end]
                assert (block.dense_operator, block.sparse_operator) == (
                    other.dense_operator,
                    other.sparse_operator,
                )
                assert (block.dense_sources, block.sparse_sources, block.left, block.right) == (
                    other.dense_sources,
                    other.sparse_sources,
                    other.left,
                    other.right,
                )
