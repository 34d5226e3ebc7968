"""tensorflow-recommenders under Keras 3.

TFRS 0.7.7 refuses to be imported under Keras 3, only because `tf.keras.version()` says so; its layers, its
Ranking model and its tasks work there. The answer is hidden while the package is imported.
"""

import threading
from types import ModuleType

import tensorflow as tf

_LOCK = threading.Lock()


def tensorflow_recommenders() -> ModuleType:
    """The package, imported under Keras 3.

    Raises:
        ImportError: when it is not installed.
    """
    with _LOCK:
        namespace = tf.keras
        version = getattr(namespace, "version", None)
        namespace.version = None
        try:
            import tensorflow_recommenders as tfrs
        finally:
            namespace.version = version
    package: ModuleType = tfrs
    return package
