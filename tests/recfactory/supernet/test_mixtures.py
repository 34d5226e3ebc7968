from dataclasses import replace

import numpy as np
from nets import batch, random_paths, small_space, supernet

from recfactory.models.sparse_update import SparseAdagrad
from recfactory.space.mixture import Mixture, any_operators, full_mixture
from recfactory.space.wiring import all_parts, live_parts


def logit(probability):
    return np.log(probability) - np.log1p(-probability)


def test_operators_of_a_stream_are_averaged():
    """With one block and no mergers the logit is linear in what the operators make."""
    space = small_space(blocks=1)
    net, (inputs, *_) = supernet(space), batch()
    (block,) = random_paths(space, 3)[2].blocks
    block = replace(block, dense_to_sparse=False, fm=False)
    dense, sparse = space.dense_operators, space.sparse_operators
    mixture = Mixture(space, (block,), ((dense, sparse),))
    singles = [
        logit(net(inputs, path=Mixture(space, (block,), (((one,), (other,)),))).numpy())
        for one in dense
        for other in sparse
    ]
    np.testing.assert_allclose(logit(net(inputs, path=mixture).numpy()), np.mean(singles, axis=0), atol=1e-5)


def test_the_full_mixture_runs_every_part():
    space = small_space()
    path = full_mixture(space)
    assert set(live_parts(path)) == set(all_parts(space))


def test_mixtures_train():
    space = small_space(blocks=2)
    rng = np.random.default_rng(0)
    mixtures = [full_mixture(space), *(any_operators(path, rng) for path in random_paths(space, 4))]
    inputs, label, weight = batch(16)
    for mixture in mixtures:
        net = supernet(space, mixture)
        net.compile(SparseAdagrad(0.05))
        losses = [net.train_on_batch(inputs, label, weight, return_dict=True)["loss"]]
        for _ in range(6):
            losses.append(net.train_on_batch(inputs, label, weight, return_dict=True)["loss"])
        assert losses[-1] < losses[0]
