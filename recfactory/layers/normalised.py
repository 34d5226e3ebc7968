"""What the operators share that end with a normalised linear layer."""

from abc import abstractmethod
from dataclasses import replace
from typing import Any

import keras
import tensorflow as tf

from recfactory.layers.normalise import MOMENTUM, normalise
from recfactory.layers.operator import OperatorLayer, Weights
from recfactory.space.operations import NORM, Linear


class NormalisedOperator(OperatorLayer):
    """An operator whose last product is normalised, then perhaps activated.

    The supernet normalises layers (Ba et al. 2016), since each path would need batch statistics of its own.
    The fixed form may normalise batches instead (Ioffe and Szegedy 2015) and drop some of its output.

    Args:
        dim: its output: numbers of a dense operator, tokens of a sparse one.
        batch_norm: whether batches are normalised, each number, or each token's numbers together.
        dropout: share of the output dropped in training.
    """

    relu = False
    """Whether ReLU follows."""

    def __init__(self, dim: int, batch_norm: bool = False, dropout: float = 0.0, **kwargs: Any) -> None:
        super().__init__(dim, **kwargs)
        self.batch_norm, self.dropout = batch_norm, dropout
        self.norm = keras.layers.BatchNormalization(momentum=MOMENTUM) if batch_norm else None
        self.drop = keras.layers.Dropout(dropout) if dropout else None

    @classmethod
    @abstractmethod
    def product(cls, weights: Weights, *inputs: tf.Tensor) -> tf.Tensor:
        """The operator's arithmetic up to the product with the matrix `kernel`.

        Args:
            weights: as of `compute`.
            *inputs: as of `compute`.
        """

    @classmethod
    def compute(cls, weights: Weights, *inputs: tf.Tensor) -> tf.Tensor:
        """The operator's arithmetic, the same in both forms."""
        _, *vectors = weights["kernel"]
        return cls.activate(normalise(cls.product(weights, *inputs), *vectors))

    @classmethod
    def activate(cls, normalised: tf.Tensor) -> tf.Tensor:
        """What follows the normalisation."""
        return tf.nn.relu(normalised) if cls.relu else normalised

    def build(self, input_shape: Any) -> None:
        """Makes the weights for inputs of these shapes."""
        super().build(input_shape)
        if self.norm is not None:
            self.norm.build(self.compute_output_shape(input_shape))

    def make(self, linear: Linear) -> list[Any]:
        """Makes the weights of a linear layer; batch normalisation has vectors of its own."""
        batched = self.batch_norm and linear.vectors == NORM
        return super().make(replace(linear, vectors=()) if batched else linear)

    def call(self, inputs: Any, training: bool = False) -> tf.Tensor:
        """Applies the operator; shapes as in `product` of its class."""
        if self.norm is None:
            made = super().call(inputs)
        else:
            made = self.activate(self.norm(self.product(*self.arguments(inputs)), training=training))
        return made if self.drop is None else self.drop(made, training=training)

    def get_config(self) -> dict[str, Any]:
        """The constructor's arguments as JSON values."""
        return {**super().get_config(), "batch_norm": self.batch_norm, "dropout": self.dropout}
