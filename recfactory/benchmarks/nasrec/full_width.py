"""A candidate's network as NASRec's public code runs it: every operator at its full width, then masked.

Each block computes its operators, also where nothing reads them, on all earlier sources side by side, with
zeros in place of those that it does not read; so do SigmoidGating and Sum. Normalisation is over the full
width, and what lies beyond the path's is multiplied by zero. Left out is what the public code does besides:
more normalisations, sums with the zeros of the operators that were not chosen.
"""

import numpy as np
import tensorflow as tf

from recfactory.benchmarks.nasrec.full_weights import Arrays, full_widths
from recfactory.layers.attention import Attention
from recfactory.layers.dot_product import pack
from recfactory.layers.normalise import normalise
from recfactory.layers.token_linear import token_linear
from recfactory.space.operators import balanced_tokens
from recfactory.space.path import Block, Path

Tensors = list[tf.Tensor]


class FullWidth:
    """The network of a path at full width.

    Args:
        path: the architecture.
        weights: as of `full_weights`.
        batch: rows that it is called with.
        active: normalise over the path's own width, as the supernet does; for comparison with it.
    """

    def __init__(self, path: Path, weights: Arrays, batch: int, active: bool = False) -> None:
        self.path, self.active = path, active
        self.weights = {name: tf.constant(value) for name, value in weights.items()}
        space = path.space
        tokens = {space.fields, space.sparse_dims[-1] + space.merger_tokens, space.merger_tokens}
        # Made once, as the public code keeps them.
        self._zeros = {width: tf.zeros([batch, width]) for width in {*full_widths(space)}}
        self._no_tokens = {count: tf.zeros([batch, space.embedding_dim, count]) for count in tokens}

    def streams(self, numbers: tf.Tensor, tokens: tf.Tensor) -> tuple[Tensors, Tensors]:
        """The numbers and the tokens of source 0 and of each block; arguments as of `Subnet.logits`."""
        dense, sparse, space = [numbers], [tokens], self.path.space
        for number, block in enumerate(self.path.blocks, 1):
            made = getattr(self, f"_{block.dense_operator}")(number, block, dense, sparse)
            made_tokens = getattr(self, f"_{block.sparse_operator}")(number, block, sparse)
            appended = self._no_tokens[space.merger_tokens]
            if block.dense_to_sparse:
                kernel, bias = self._linear(number, "dense_to_sparse")
                appended = tf.reshape(tf.matmul(made, kernel) + bias, appended.shape)
            if block.fm:
                kernel, bias = self._linear(number, "fm")
                pairs = tf.square(tf.reduce_sum(made_tokens, 2)) - tf.reduce_sum(tf.square(made_tokens), 2)
                made += _mask(tf.matmul(pairs / block.sparse_dim, kernel) + bias, block.dense_dim)
            dense.append(made)
            sparse.append(tf.concat([made_tokens, appended], 2))
        return dense, sparse

    def last_layer(self) -> tuple[tf.Tensor, tf.Tensor]:
        """The matrix and the bias of what reads `penultimate` of the last block's streams."""
        kernel, bias = self._linear(len(self.path.blocks), "head")
        return kernel, bias

    def _fc(self, number: int, block: Block, dense: Tensors, sparse: Tensors) -> tf.Tensor:
        kernel, *vectors = self._linear(number, "fc")
        made = tf.matmul(self._numbers(dense, block.dense_sources), kernel)
        return _mask(tf.nn.relu(self._normalise(made, block.dense_dim, vectors)), block.dense_dim)

    def _gating(self, number: int, block: Block, dense: Tensors, sparse: Tensors) -> tf.Tensor:
        (gate,), (_, offset) = (
            self._linear(number, "gating", "gate"),
            self._linear(number, "gating", "offset"),
        )
        kernel, *vectors = self._linear(number, "gating")
        left, right = (self._numbers(dense, (source,)) for source in (block.left, block.right))
        made = tf.matmul(tf.sigmoid(tf.matmul(left, gate) + offset) * right, kernel)
        return _mask(self._normalise(made, block.dense_dim, vectors), block.dense_dim)

    def _sum(self, number: int, block: Block, dense: Tensors, sparse: Tensors) -> tf.Tensor:
        kernel, *vectors = self._linear(number, "sum")
        left, right = (self._numbers(dense, (source,)) for source in (block.left, block.right))
        made = tf.matmul(left + right, kernel)
        return _mask(self._normalise(made, block.dense_dim, vectors), block.dense_dim)

    def _dot_product(self, number: int, block: Block, dense: Tensors, sparse: Tensors) -> tf.Tensor:
        project, project_bias = self._linear(number, "dot_product", "project")
        reduce, reduce_bias = self._linear(number, "dot_product", "reduce")
        kernel, *vectors = self._linear(number, "dot_product")
        token = tf.matmul(self._numbers(dense, block.dense_sources), project) + project_bias
        reduced = token_linear(self._tokens(sparse, block.sparse_sources), reduce) + reduce_bias
        tokens = tf.concat([_mask(reduced, balanced_tokens(block.dense_dim)), token[:, :, tf.newaxis]], 2)
        made = tf.matmul(pack(tf.matmul(tokens, tokens, transpose_a=True)), kernel)
        return _mask(self._normalise(made, block.dense_dim, vectors), block.dense_dim)

    def _efc(self, number: int, block: Block, sparse: Tensors) -> tf.Tensor:
        kernel, *vectors = self._linear(number, "efc")
        made = token_linear(self._tokens(sparse, block.sparse_sources), kernel)
        return _mask(tf.nn.relu(self._normalise(made, block.sparse_dim, vectors)), block.sparse_dim)

    def _attention(self, number: int, block: Block, sparse: Tensors) -> tf.Tensor:
        # Masked tokens are attended to like others, as zeros.
        names = ("kernel", "qkv", "out", "expand", "contract")
        weights = {name: tuple(self._linear(number, "attention", name)) for name in names}
        weights["kernel"] = tuple(_mask(value, block.sparse_dim) for value in weights["kernel"])
        made = Attention.compute(weights, self._tokens(sparse, block.sparse_sources))
        return _mask(made, block.sparse_dim)

    def _numbers(self, dense: Tensors, chosen: tuple[int, ...]) -> tf.Tensor:
        return tf.concat([x if i in chosen else self._zeros[x.shape[1]] for i, x in enumerate(dense)], 1)

    def _tokens(self, sparse: Tensors, chosen: tuple[int, ...]) -> tf.Tensor:
        return tf.concat([x if i in chosen else self._no_tokens[x.shape[2]] for i, x in enumerate(sparse)], 2)

    def _normalise(self, x: tf.Tensor, dim: int, vectors: Tensors) -> tf.Tensor:
        if not self.active:
            return normalise(x, *vectors)
        made = normalise(x[..., :dim], *(vector[:dim] for vector in vectors))
        return tf.concat([made, tf.zeros_like(x[..., dim:])], -1)

    def _linear(self, number: int, kind: str, name: str = "kernel") -> Tensors:
        start = f"{number}/{kind}/{name}/"
        return [value for key, value in self.weights.items() if key.startswith(start)]


def _mask(x: tf.Tensor, size: int) -> tf.Tensor:
    return x * tf.constant(np.arange(x.shape[-1]) < size, tf.float32)
