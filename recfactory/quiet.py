"""Hides TensorFlow's start-up noise, which is written straight to the process's standard error."""

import os


def import_tensorflow_quietly() -> None:
    """Imports TensorFlow and lets it look for devices while standard error is closed to it.

    Its C++ parts log before any setting of theirs is read, so the descriptor itself is turned away;
    a failing import still raises.
    """
    os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")
    kept = os.dup(2)
    nowhere = os.open(os.devnull, os.O_WRONLY)
    try:
        os.dup2(nowhere, 2)
        import tensorflow as tf

        tf.config.list_physical_devices()
    finally:
        os.dup2(kept, 2)
        os.close(kept)
        os.close(nowhere)
    tf.get_logger().setLevel("ERROR")
