"""Functions traced once and run in two halves, forward and backward.

A step of the supernet calls some forty small functions. Each call of a `tf.function` under a `tf.GradientTape` costs
about half a millisecond of Python; two graph functions, called without a tape, cost a fifth of that.
"""

from collections.abc import Callable, Sequence
from typing import Any

import tensorflow as tf

Tensors = list[tf.Tensor]


class Compiled:
    """A function of tensors with its gradient.

    Args:
        function: takes float tensors, returns one.
        shapes: of its arguments; None where a size may vary.
    """

    def __init__(self, function: Callable[..., tf.Tensor], shapes: Sequence[Sequence[int | None]]) -> None:
        inputs = [tf.TensorSpec(shape) for shape in shapes]
        output = tf.function(function, input_signature=inputs).get_concrete_function().outputs[0]
        upstream = tf.TensorSpec(output.shape)

        def both(*arguments: tf.Tensor) -> tuple[tf.Tensor, Tensors]:
            *values, given = arguments
            result = function(*values)
            gradients = tf.gradients(
                [result], values, [given], unconnected_gradients=tf.UnconnectedGradients.ZERO
            )
            return result, gradients

        whole = tf.compat.v1.wrap_function(both, [*inputs, upstream])
        *values, given = whole.inputs
        result, *gradients = whole.graph.outputs
        saved = _between(whole.graph, result, gradients, whole.inputs)
        self._forward = _call(whole.prune(values, [result, *saved]), values)
        self._backward = _call(whole.prune([*saved, *values, given], gradients), [*saved, *values, given])

    def forward(self, values: Tensors) -> tuple[tf.Tensor, Tensors]:
        """The function's value, and what `backward` must be given of it."""
        result, *saved = self._forward(*values)
        return result, saved

    def backward(self, saved: Tensors, values: Tensors, upstream: tf.Tensor) -> Tensors:
        """The gradients of the arguments, from that of the value."""
        return self._backward(*saved, *values, upstream)


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


def _call(pruned: Any, arguments: Tensors) -> Any:
    """A function to call with tensors in this order."""
    specs = [tf.TensorSpec(tensor.shape, tensor.dtype) for tensor in arguments]
    return tf.function(lambda *values: pruned(*values), input_signature=specs).get_concrete_function()
