"""Functions traced once and run in two halves, forward and backward.

A step of the supernet calls some forty small functions. Each call of a `tf.function` under a
`tf.GradientTape` costs about half a millisecond of Python; two graph functions, called without a tape, cost a
fifth of that.
"""

from collections.abc import Callable, Sequence
from functools import cached_property
from typing import Any

import tensorflow as tf

Tensors = list[tf.Tensor]


class Compiled:
    """A function of sizes and tensors, with the gradients of the tensors.

    Args:
        function: takes a vector of sizes, then float tensors; returns one tensor.
        shapes: of the float tensors; None where a size may vary.
    """

    def __init__(self, function: Callable[..., tf.Tensor], shapes: Sequence[Sequence[int | None]]) -> None:
        self._function = function
        self._inputs = [tf.TensorSpec([None], tf.int32), *(tf.TensorSpec(shape) for shape in shapes)]
        whole = tf.compat.v1.wrap_function(function, self._inputs)
        self._output = tf.TensorSpec(whole.graph.outputs[0].shape)
        self._value = whole.prune(whole.inputs, whole.graph.outputs)

    @cached_property
    def _halves(self) -> tuple[Any, Any]:
        """Forward and backward, traced when first needed: what is only scored never is."""

        def both(*arguments: tf.Tensor) -> tuple[tf.Tensor, Tensors]:
            *values, upstream = arguments
            result = self._function(*values)
            gradients = tf.gradients(
                [result], values[1:], [upstream], unconnected_gradients=tf.UnconnectedGradients.ZERO
            )
            return result, gradients

        whole = tf.compat.v1.wrap_function(both, [*self._inputs, self._output])
        *values, upstream = whole.inputs
        result, *gradients = whole.graph.outputs
        saved = _between(whole.graph, result, gradients, whole.inputs)
        forward = whole.prune(values, [result, *saved])
        return forward, whole.prune([*saved, *values, upstream], gradients)

    def value(self, values: Tensors) -> tf.Tensor:
        """The function's value for sizes and tensors, with nothing kept for a way back."""
        (result,) = _call(self._value, values)
        return result

    def forward(self, values: Tensors) -> tuple[tf.Tensor, Tensors]:
        """The function's value for sizes and tensors, and what `backward` must be given of it."""
        result, *saved = _call(self._halves[0], values)
        return result, saved

    def backward(self, saved: Tensors, values: Tensors, upstream: tf.Tensor) -> Tensors:
        """The gradients of the tensors, from that of the value."""
        return _call(self._halves[1], [*saved, *values, upstream])


def _call(function: Any, values: Tensors) -> Tensors:
    # The public call first compares every argument with its specification, which takes longer than the
    # function.
    return function._call_flat(values, [])


def _between(graph: Any, result: tf.Tensor, gradients: Tensors, inputs: Tensors) -> Tensors:
    """The tensors that the backward half takes from the forward half, in the graph's order."""
    forward = _needed([result])
    backward = _needed(gradients) - forward
    given = {id(tensor) for tensor in inputs}
    taken = {
        id(tensor): tensor
        for operation in graph.get_operations()
        if operation in backward
        for tensor in operation.inputs
        if tensor.op in forward and id(tensor) not in given
    }
    return list(taken.values())


def _needed(tensors: Tensors) -> set[Any]:
    found: set[Any] = set()
    left = [tensor.op for tensor in tensors]
    while left:
        operation = left.pop()
        if operation not in found:
            found.add(operation)
            left += [tensor.op for tensor in operation.inputs] + list(operation.control_inputs)
    return found
