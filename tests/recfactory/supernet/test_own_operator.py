"""An operator of one's own: a layer and a `register`, then it works everywhere."""

import keras
import numpy as np
import tensorflow as tf
from nets import Fixed, batch, gradients, places, random_paths, small_space, standalone_gradients, supernet

from recfactory.layers.operator import OperatorLayer
from recfactory.models.sparse_update import SparseAdagrad
from recfactory.space.genes import decode, encode
from recfactory.space.operations import Linear
from recfactory.space.operators import Operator, register


@keras.saving.register_keras_serializable(package="tests")
class Maxout(OperatorLayer):
    """The larger of two linear layers (Goodfellow et al. 2013)."""

    kind = "maxout"

    @classmethod
    def compute(cls, weights, *inputs):
        (numbers,) = inputs
        kernels = weights["one"], weights["other"]
        return tf.maximum(*(tf.matmul(numbers, kernel) + bias for kernel, bias in kernels))


OWN = register(
    Operator(
        "maxout",
        "dense",
        ("dense_sources",),
        lambda reads: tuple(Linear(name, reads.dense, reads.dim) for name in ("one", "other")),
        f"{__name__}:Maxout",
    )
)
SPACE = small_space(dense_operators=("fc", "maxout"), sparse_operators=("efc",), blocks=2)
PATHS = [
    path for path in random_paths(SPACE, 20, seed=1) if {b.dense_operator for b in path.blocks} == {"maxout"}
]


def test_fixed_form():
    layer, x = Maxout(4), np.random.default_rng(0).normal(size=(3, 5)).astype(np.float32)
    made = layer(x)
    (one, bias), (other, _) = layer.named["one"], layer.named["other"]
    np.testing.assert_allclose(made, np.maximum(x @ one.numpy() + bias.numpy(), x @ other.numpy()), atol=1e-6)


def test_in_a_supernet(tmp_path):
    assert PATHS
    assert decode(SPACE, encode(PATHS)) == PATHS
    net, data = supernet(SPACE), batch()
    inputs = {key: tf.constant(value) for key, value in data[0].items()}
    for path in PATHS[:4]:
        alone = net.extract(path)
        assert alone.tower.count_params() == path.params
        np.testing.assert_allclose(net(inputs, path=path), alone(inputs), atol=1e-5)
        net.sampler = Fixed((path,))
        found = gradients(net, data)
        _, expected = standalone_gradients(net, path, data)
        for place in places(net, path):
            np.testing.assert_allclose(
                found[id(place.bank)][0].reshape(-1)[place.index],
                expected[place.layer, place.operation, place.number],
                atol=1e-5,
            )
    net.compile(SparseAdagrad(0.1))
    losses = [net.train_on_batch(*data, return_dict=True)["loss"] for _ in range(5)]
    assert losses[-1] < losses[0]
    alone.save(tmp_path / "own.keras")
    again = keras.models.load_model(tmp_path / "own.keras")
    np.testing.assert_array_equal(again(inputs), alone(inputs))
