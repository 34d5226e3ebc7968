"""A tower whose matrices are masked: by masks that are learned, by weights that are gone, or both."""

from typing import Any

import keras
import numpy as np
import numpy.typing as npt
import tensorflow as tf

from recfactory.layers.operator import OperatorLayer

HIDDEN = 32
FIRST = 0.5
"""What every learned mask is at first; the weights are divided by it, so that nothing changes."""
EPSILON = 1e-12
Floats = npt.NDArray[np.float32]


def matrices(tower: keras.Model) -> dict[tuple[str, str], keras.Variable]:
    """The matrices of a path's tower, by the names of layer and operation."""
    return {
        (layer.name, name): values[0]
        for layer in tower.layers
        if isinstance(layer, OperatorLayer)
        for name, values in layer.named.items()
        if isinstance(values[0], keras.Variable)
    }


class MaskedTower(keras.layers.Layer):
    """A path's tower that computes with M * W instead of each matrix W.

    A learned mask is M = sigmoid(W2 relu(W1 W)) (arXiv 2411.07569): a perceptron of each column of W, trained
    with everything else. It is part of training alone: what it was worth is folded into the weights.

    Args:
        tower: as of `build_tower`; its matrices are rescaled here.
        learned: whether there are learned masks.
        sparse: whether weights that are exactly 0 stay so.
    """

    def __init__(self, tower: keras.Model, learned: bool, sparse: bool, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.tower, self.learned, self.sparse = tower, learned, sparse
        self.named = matrices(tower)
        self.nets: list[tuple[keras.Variable, keras.Variable]] = []
        self.kept = [tf.constant(variable.numpy() != 0, tf.float32) for variable in self.named.values()]
        for variable in self.named.values() if learned else ():
            inputs = variable.shape[0]
            first = self.add_weight((HIDDEN, inputs), "he_normal", name="mask_first")
            self.nets.append((first, self.add_weight((inputs, HIDDEN), "zeros", name="mask_second")))
            variable.assign(variable / FIRST)
        self.built = True

    def call(self, inputs: Any, training: bool = False) -> tf.Tensor:
        """Maps `[numbers, fields]` to the logit `(batch, 1)`."""
        replaced = {id(v): w for v, w in zip(self.named.values(), self.effective(), strict=True)}
        fixed = self.tower.non_trainable_variables
        logit, updated = self.tower.stateless_call(
            [replaced.get(id(v), v.value) for v in self.tower.trainable_variables],
            [v.value for v in fixed],
            inputs,
            training=training,
        )
        if training:
            for variable, value in zip(fixed, updated, strict=True):
                variable.assign(value)
        return logit

    def effective(self) -> list[tf.Tensor]:
        """The matrices as they are computed with."""
        matrices = [tf.convert_to_tensor(variable) for variable in self.named.values()]
        if self.sparse:
            matrices = [w * kept for w, kept in zip(matrices, self.kept, strict=True)]
        if self.learned:
            matrices = [w * self._mask(i, w) for i, w in enumerate(matrices)]
        return matrices

    def worths(self) -> dict[tuple[str, str], Floats]:
        """What each weight is worth: its share of the squares of its matrix, as it is computed with.

        Every matrix is worth the same, so that none goes as a whole because its numbers are small.
        """
        found = {}
        for name, matrix in zip(self.named, self.effective(), strict=True):
            squares = np.square(matrix.numpy())
            found[name] = squares / (squares.sum() + EPSILON)
        return found

    def fold(self) -> keras.Model:
        """The tower with its masks in its weights; this layer is of no use afterwards."""
        for variable, value in zip(self.named.values(), self.effective(), strict=True):
            variable.assign(value)
        return self.tower

    def _mask(self, index: int, matrix: tf.Tensor) -> tf.Tensor:
        first, second = self.nets[index]
        return tf.sigmoid(tf.matmul(second, tf.nn.relu(tf.matmul(first, matrix))))
