"""A linear layer over tokens."""

import tensorflow as tf


def token_linear(tokens: tf.Tensor, kernel: tf.Tensor) -> tf.Tensor:
    """Makes tokens of tokens, as one plain matrix product.

    Args:
        tokens: `(batch, embedding_dim, tokens)`.
        kernel: `(tokens, made)`.

    Returns:
        `(batch, embedding_dim, made)`.
    """
    shape = tf.shape(tokens)
    flat = tf.matmul(tf.reshape(tokens, [-1, shape[2]]), kernel)
    made = tf.reshape(flat, [shape[0], shape[1], tf.shape(kernel)[1]])
    made.set_shape([tokens.shape[0], tokens.shape[1], kernel.shape[1]])
    return made
