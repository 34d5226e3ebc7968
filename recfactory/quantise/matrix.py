"""A matrix of a layer that multiplies with few bits, or on crossbars."""

import zlib
from collections.abc import Callable, Sequence
from dataclasses import asdict, astuple, dataclass
from typing import Any

import tensorflow as tf

from recfactory.layers.product import Matrix
from recfactory.quantise import fake
from recfactory.quantise.crossbar import is_exact, product_error
from recfactory.quantise.grid import Floats, best_range
from recfactory.quantise.precision import Bits, Crossbar

NUMBERS = 7
"""That an arithmetic consists of."""


@dataclass(frozen=True)
class Arithmetic:
    """How a matrix multiplies.

    Args:
        bits: of the matrix and of its inputs.
        crossbar: that multiplies; None where it loses nothing.
    """

    bits: Bits
    crossbar: Crossbar | None = None

    @classmethod
    def of(cls, bits: Bits, crossbar: Crossbar | None) -> "Arithmetic":
        """That of an operator on a crossbar, left out where it loses nothing."""
        return cls(bits, None if crossbar is None or is_exact(crossbar) else crossbar)

    @property
    def numbers(self) -> list[float]:
        """All there is to it but whether a crossbar loses anything; what `of_numbers` takes."""
        crossbar = self.crossbar or Crossbar(1, 1, 1, 1)
        return [self.bits.weight, self.bits.activation, *astuple(crossbar)]

    @classmethod
    def of_numbers(cls, numbers: Sequence[Any], on_crossbar: bool) -> "Arithmetic":
        """The opposite of `numbers`; of scalar tensors, so that one graph serves all arithmetic of a kind."""
        weight, activation, *crossbar = numbers
        return cls(Bits(weight, activation), Crossbar(*crossbar) if on_crossbar else None)

    def to_dict(self) -> dict[str, Any]:
        """As JSON values."""
        return asdict(self)

    @classmethod
    def from_dict(cls, values: dict[str, Any]) -> "Arithmetic":
        """What `to_dict` wrote."""
        crossbar = Crossbar(**values["crossbar"]) if values["crossbar"] else None
        return cls(Bits(**values["bits"]), crossbar)


class Quantised(Matrix):
    """A matrix that is rounded, and rounds what it multiplies.

    Args:
        values: the matrix.
        arithmetic: how it multiplies.
        ends: the lowest and the highest value that its inputs are rounded to.
        seed: of its cells' noise.
    """

    def __init__(
        self, values: tf.Tensor, arithmetic: Arithmetic, ends: Sequence[tf.Tensor], seed: tf.Tensor | int = 0
    ) -> None:
        super().__init__(values)
        self.arithmetic, self.ends, self.seed = arithmetic, ends, seed

    def product(self, rows: tf.Tensor, transposed: bool) -> tf.Tensor:
        """As of any matrix; the crossbars' errors have no gradient."""
        bits, crossbar = self.arithmetic.bits, self.arithmetic.crossbar
        matrix = tf.transpose(self.values) if transposed else self.values
        low, high = self.ends[0], self.ends[1]
        given = fake.activations(rows, low, high, bits.activation)
        exact = tf.matmul(given, fake.weights(matrix, bits.weight))
        if crossbar is None:
            return exact
        stored = fake.codes_of(matrix, bits.weight)
        step = (high - low) / (fake.two_to(bits.activation) - 1.0)
        codes = tf.round((given - low) / step)
        error = product_error(codes, stored.codes, crossbar, bits, self.seed, signed=low < 0)
        return exact + tf.stop_gradient(error * step * stored.step)


class Watched(Matrix):
    """A matrix that multiplies as it is, and has its inputs looked at.

    Args:
        values: the matrix.
        look: is given the rows.
    """

    def __init__(self, values: tf.Tensor, look: Callable[[Floats], None]) -> None:
        super().__init__(values)
        self.look = look

    def product(self, rows: tf.Tensor, transposed: bool) -> tf.Tensor:
        """As of any matrix."""
        self.look(rows.numpy())
        return tf.matmul(rows, self.values, transpose_b=transposed)


def ends_of_inputs(
    compute: Callable[[dict[str, tuple[tf.Tensor | Matrix, ...]]], tf.Tensor],
    weights: dict[str, tuple[tf.Tensor, ...]],
    bits: int,
) -> tuple[tf.Tensor, dict[str, tuple[float, float]]]:
    """Runs an operator, and chooses the ends of what its matrices multiply.

    Args:
        compute: the operator on its inputs, of its weights; runs eagerly.
        weights: by the name of the operation.
        bits: of activations.

    Returns:
        What the operator made, and by the name of the operation the lowest and the highest value.
    """
    found: dict[str, tuple[float, float]] = {}

    def watch(name: str, matrix: tf.Tensor) -> Matrix:
        return Watched(matrix, lambda rows: found.__setitem__(name, best_range(rows, bits)))

    watched = {
        name: (watch(name, matrix), *vectors) if matrix.shape[0] else (matrix, *vectors)
        for name, (matrix, *vectors) in weights.items()
    }
    made = compute(watched)
    return made, found


def seed_of(*place: str | int) -> int:
    """The noise of a matrix at a place; places differ, and stay what they are from run to run."""
    return zlib.crc32(" ".join(map(str, place)).encode()) >> 1
