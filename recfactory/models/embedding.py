"""One embedding table for all categorical columns."""

from typing import Any

import keras
import numpy as np
import tensorflow as tf

from recfactory.features.layout import Layout, make_layout
from recfactory.quantise import fake

INITIAL_DEVIATION = 0.01


def layout_config(layout: Layout) -> dict[str, Any]:
    """The layout as JSON values."""
    return {
        "dense": list(layout.dense),
        "fields": [[field.name, field.slots, field.size] for field in layout.fields],
    }


def layout_from_config(config: dict[str, Any]) -> Layout:
    """The layout that `layout_config` described."""
    sizes = [(str(name), int(slots), int(size)) for name, slots, size in config["fields"]]
    return make_layout(tuple(config["dense"]), sizes)


@keras.saving.register_keras_serializable(package="recfactory")
class FusedEmbedding(keras.layers.Layer):
    """Looks up every categorical column in one table and averages the values of multi-valued ones.

    The table is only ever read row by row (ResourceGather): a plain read of a variable that is also
    updated row by row copies the whole of it.

    Args:
        layout: where each column lives in the ids and in the table.
        dim: numbers in a row of the table.
        initializer: of the table.
        bits: that a number of the table is rounded to where it is read; 32 leaves it alone.
    """

    def __init__(
        self,
        layout: Layout,
        dim: int,
        initializer: keras.initializers.Initializer | dict[str, Any] | None = None,
        bits: int = 32,
        **kwargs: Any,
    ) -> None:
        super().__init__(**kwargs)
        self.layout, self.dim, self.bits = layout, dim, bits
        self.initializer = keras.initializers.get(
            initializer or keras.initializers.RandomNormal(stddev=INITIAL_DEVIATION)
        )
        slots = [field for field in layout.fields for _ in range(field.slots)]
        self._pools = any(field.slots > 1 for field in layout.fields)
        # Row s marks the field that slot s belongs to.
        self._membership = np.array([[f == s for f in layout.fields] for s in slots], np.float32)
        self._missing = np.array([field.offset for field in slots], np.int32)
        self._first = np.zeros(len(slots), np.float32)
        self._first[[field.start for field in layout.fields]] = 1.0

    def build(self, input_shape: Any = None) -> None:
        """Makes the table, `(layout.table_rows, dim)`."""
        self.table = self.add_weight(
            shape=(self.layout.table_rows, self.dim), initializer=self.initializer, name="table"
        )
        self.built = True

    def lookup(self, ids: tf.Tensor) -> tf.Tensor:
        """Rows of the table.

        Args:
            ids: int32 of any shape.

        Returns:
            The rows, shape `ids.shape + (dim,)`.
        """
        return tf.gather(self.table.value, ids)

    def pool(self, vectors: tf.Tensor, ids: tf.Tensor) -> tf.Tensor:
        """Averages the present values of each field; a field without any keeps its row for missing.

        Args:
            vectors: rows of the table as they are stored, `(batch, slots, dim)`.
            ids: `(batch, slots)`, which tell present values from unused slots.

        Returns:
            `(batch, fields, dim)`.
        """
        vectors = fake.embeddings(vectors, self.bits)
        if not self._pools:
            return vectors
        membership = tf.constant(self._membership)
        present = tf.cast(tf.not_equal(ids, self._missing), tf.float32)
        count = tf.matmul(tf.matmul(present, membership), membership, transpose_b=True)
        weight = tf.where(count > 0, tf.math.divide_no_nan(present, count), self._first)
        return tf.matmul(weight[:, tf.newaxis, :] * tf.transpose(membership), vectors)

    def call(self, ids: tf.Tensor) -> tf.Tensor:
        """Embeds rows.

        Args:
            ids: `(batch, slots)` int32 rows of the table.

        Returns:
            `(batch, fields, dim)`.
        """
        return self.pool(self.lookup(ids), ids)

    def compute_output_shape(self, input_shape: tuple[int | None, ...]) -> tuple[int | None, ...]:
        """Shape of the embedded rows."""
        return (input_shape[0], len(self.layout.fields), self.dim)

    def get_config(self) -> dict[str, Any]:
        """The constructor's arguments as JSON values."""
        return {
            **super().get_config(),
            "layout": layout_config(self.layout),
            "dim": self.dim,
            "initializer": keras.initializers.serialize(self.initializer),
            "bits": self.bits,
        }

    @classmethod
    def from_config(cls, config: dict[str, Any]) -> "FusedEmbedding":
        """The layer that `get_config` described."""
        return cls(**{**config, "layout": layout_from_config(config["layout"])})
