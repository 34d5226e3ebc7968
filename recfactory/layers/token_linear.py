"""A linear layer over tokens."""

import tensorflow as tf

from recfactory.layers.product import Matrix, product


def token_linear(tokens: tf.Tensor, kernel: tf.Tensor | Matrix) -> tf.Tensor:
    """Makes tokens of tokens, as one plain matrix product.

    Args:
        tokens: `(batch, embedding_dim, tokens)`.
        kernel: `(tokens, made)`.

    Returns:
        `(batch, embedding_dim, made)`.
    """
    shape = tf.shape(tokens)
    flat = product(tf.reshape(tokens, [-1, shape[2]]), kernel)
    made = tf.reshape(flat, [shape[0], shape[1], tf.shape(flat)[1]])
    made.set_shape([tokens.shape[0], tokens.shape[1], kernel.shape[1]])
    return made
