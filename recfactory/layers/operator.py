"""What all operators share: weights made of the operations they declare, one arithmetic for both forms."""

from abc import abstractmethod
from typing import Any

import keras
import numpy as np
import tensorflow as tf

from recfactory.quantise.matrix import Arithmetic, Quantised, seed_of
from recfactory.space.axes import first, whole
from recfactory.space.operations import Linear, Operation
from recfactory.space.operators import Reads, operator

Weights = dict[str, tuple[Any, ...]]
"""By the name of its operation: a matrix `(inputs, outputs)`, a tensor or a `Matrix`; then its vectors
`(outputs,)`."""
_FIELDS = {"dense_sources": "dense", "sparse_sources": "sparse", "left": "left", "right": "right"}


class OperatorLayer(keras.layers.Layer):
    """An operator in its fixed form: its weights have the sizes of its inputs and of its output.

    Called on the list of what it reads, in the order of its entry in `recfactory/space/operators.py`.

    Args:
        dim: its output: numbers of a dense operator, tokens of a sparse one.
        arithmetic: with which its matrices multiply; None for float32.
        chip: number of the chip whose cells they lie in: seed of their noise.
    """

    kind: str
    """Its name in `recfactory/space/operators.py`."""
    gain: float = 1.0
    """Where the gains of its normalisations start."""

    def __init__(
        self, dim: int, arithmetic: Arithmetic | dict[str, Any] | None = None, chip: int = 0, **kwargs: Any
    ) -> None:
        super().__init__(**kwargs)
        self.dim = dim
        self.arithmetic = Arithmetic.from_dict(arithmetic) if isinstance(arithmetic, dict) else arithmetic
        self.chip = chip

    def operations(self, shapes: list[tuple[int | None, ...]]) -> tuple[Operation, ...]:
        """What it computes.

        Args:
            shapes: of its inputs, `(batch, width)` or `(batch, embedding_dim, tokens)` each.
        """
        entry = operator(self.kind)
        sides: dict[str, Any] = {
            _FIELDS[gene]: whole(int(shape[-1] or 0)) for gene, shape in zip(entry.reads, shapes, strict=True)
        }
        return entry.operations(
            Reads(
                embedding_dim=next((int(shape[1] or 0) for shape in shapes if len(shape) == 3), 0),
                dims=(self.dim,),
                dim=first(self.dim, self.dim),
                widest=max(int(shape[-1] or 0) for shape in shapes),
                **sides,
            )
        )

    @classmethod
    @abstractmethod
    def compute(cls, weights: Weights, *inputs: tf.Tensor) -> tf.Tensor:
        """The operator's arithmetic, the same in both forms.

        Args:
            weights: by the name of the operation.
            *inputs: what it reads; their sizes may be unknown while a function is traced.
        """

    def build(self, input_shape: Any) -> None:
        """Makes the weights for inputs of these shapes."""
        self.named: dict[str, list[Any]] = {}
        for operation in self.operations(shapes_of(input_shape)):
            if isinstance(operation, Linear):
                self.named[operation.name] = self.make(operation)
        self.ends = {
            name: self.add_weight((2,), "zeros", trainable=False, name=f"{name}_ends")
            for name, (matrix, *_) in self.named.items()
            if self.arithmetic and matrix.shape[0]
        }
        self.built = True

    def call(self, inputs: Any) -> tf.Tensor:
        """Applies the operator; shapes as in `compute` of its class."""
        return self.compute(*self.arguments(inputs))

    def arguments(self, inputs: Any) -> tuple[Any, ...]:
        """What `compute` takes: the weights, then each input."""
        weights: Weights = {
            name: tuple(tf.convert_to_tensor(value) for value in values)
            for name, values in self.named.items()
        }
        for name, ends in self.ends.items():
            assert self.arithmetic is not None
            matrix, *vectors = weights[name]
            seed = seed_of(self.chip, self.name, name)
            few = Quantised(matrix, self.arithmetic, tf.convert_to_tensor(ends), seed)
            weights[name] = (few, *vectors)
        return weights, *(inputs if isinstance(inputs, list | tuple) else [inputs])

    def compute_output_shape(self, input_shape: Any) -> tuple[int | None, ...]:
        """`(batch, dim)` of a dense operator, `(batch, embedding_dim, dim)` of a sparse one."""
        first_shape = shapes_of(input_shape)[0]
        return (*first_shape[:-1], self.dim)

    def get_config(self) -> dict[str, Any]:
        """The constructor's arguments as JSON values."""
        config = {**super().get_config(), "dim": self.dim}
        if self.arithmetic is None:
            return config
        return {**config, "arithmetic": self.arithmetic.to_dict(), "chip": self.chip}

    def make(self, linear: Linear) -> list[Any]:
        """Makes the weights of a linear layer: its matrix, then its vectors."""
        shape = (linear.inputs.size, linear.outputs.size)
        stored = shape[::-1] if linear.by_output else shape
        # A matrix without inputs is no weight.
        matrix = (
            self.add_weight(stored, "glorot_uniform", name=linear.name) if shape[0] else np.zeros(shape, "f")
        )
        vectors = [
            self.add_weight(
                shape[1:],
                keras.initializers.Constant(first_value(name, self.gain)),
                name=f"{linear.name}_{name}",
            )
            for name in linear.vectors
        ]
        return [matrix, *vectors]


def first_value(vector: str, gain: float) -> float:
    """Where a vector starts: gains at `gain`, anything else at 0."""
    return gain if vector == "gain" else 0.0


def shapes_of(input_shape: Any) -> list[tuple[int | None, ...]]:
    """The shapes of one input or of several."""
    several = bool(input_shape) and isinstance(input_shape[0], list | tuple)
    return [tuple(shape) for shape in (input_shape if several else [input_shape])]
