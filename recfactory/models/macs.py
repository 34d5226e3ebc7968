"""Multiply-accumulates of a model, counted on its graph."""

from typing import Any

import numpy as np
import tensorflow as tf

from recfactory.models.ranker import Ranker

COUNTED = {"MatMul": "transpose_a", "BatchMatMul": "adj_x", "BatchMatMulV2": "adj_x"}
"""Matrix products, and what says that the left side is transposed."""
REFUSED = ("BatchMatMulV3", "Conv", "DepthwiseConv", "Einsum", "If", "PartitionedCall", "While", "XlaCall")
"""Beginnings of the names of operations that hold products which are not counted."""
_ROWS = 2
"""Traced: the model of TFRS gives a single row a second one."""


def count_macs(ranker: Ranker) -> int:
    """Multiply-accumulates per example of a model when it predicts.

    Those of the matrix products of its tower, products of activations included. Not counted: embedding
    lookups and the averages of multi-valued columns, and all that is done element by element (biases,
    normalisation, activations, the sums and squares of a factorization machine).

    Args:
        ranker: the model.

    Raises:
        ValueError: for an operation whose products cannot be counted.
    """
    numbers = tf.TensorSpec([_ROWS, len(ranker.layout.dense)])
    fields = tf.TensorSpec([_ROWS, len(ranker.layout.fields), ranker.embedding_dim])
    traced = tf.function(lambda *inputs: ranker.tower(list(inputs)), input_signature=[numbers, fields])
    operations = traced.get_concrete_function().graph.get_operations()
    return sum(_products(operation) for operation in operations) // _ROWS


def _products(operation: Any) -> int:
    if operation.type.removeprefix("Stateful").startswith(REFUSED):
        raise ValueError(f"cannot count the multiply-accumulates of the operation '{operation.type}'")
    if operation.type not in COUNTED:
        return 0
    left, result = operation.inputs[0].shape, operation.outputs[0].shape
    length = left[-2 if operation.get_attr(COUNTED[operation.type]) else -1]
    return int(np.prod(result)) * int(length)
