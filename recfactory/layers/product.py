"""Products with a layer's matrix, which may multiply in a way of its own."""

from abc import ABC, abstractmethod

import tensorflow as tf

from recfactory.errors import UsageError


class Matrix(ABC):
    """Takes the place of a matrix in a layer's `compute`: one that is quantised, or one that watches.

    Args:
        values: the matrix, `(inputs, outputs)`.
    """

    def __init__(self, values: tf.Tensor) -> None:
        self.values = values

    @property
    def shape(self) -> tf.TensorShape:
        """Of the matrix."""
        return self.values.shape

    @abstractmethod
    def product(self, rows: tf.Tensor, transposed: bool) -> tf.Tensor:
        """Multiplies rows.

        Args:
            rows: `(n, inputs)`.
            transposed: whether the matrix is stored `(outputs, inputs)`.

        Returns:
            `(n, outputs)`.
        """

    def __tf_tensor__(self, dtype: tf.DType | None = None, name: str | None = None) -> tf.Tensor:
        """Refuses to be read as a tensor, which would leave out how it multiplies."""
        raise UsageError(
            "an operator that is to be quantised multiplies by recfactory.layers.product.product(inputs, "
            "kernel), not by tf.matmul"
        )


def product(rows: tf.Tensor, matrix: tf.Tensor | Matrix, transposed: bool = False) -> tf.Tensor:
    """Rows times a matrix.

    Args:
        rows: `(n, inputs)`.
        matrix: `(inputs, outputs)`.
        transposed: whether the matrix is stored `(outputs, inputs)`.

    Returns:
        `(n, outputs)`.
    """
    if isinstance(matrix, Matrix):
        return matrix.product(rows, transposed)
    return tf.matmul(rows, matrix, transpose_b=transposed)
