"""The Keras model around a tower: one embedding table, loss from logits, sparse update of the table."""

from typing import Any

import keras
import tensorflow as tf

from recfactory.features.layout import Layout
from recfactory.models.embedding import FusedEmbedding, layout_config, layout_from_config
from recfactory.models.sparse_update import SparseOptimizer, sum_duplicates


@keras.saving.register_keras_serializable(package="recfactory")
class Ranker(keras.Model):
    """Predicts clicks: `{"numbers": (batch, dense), "ids": (batch, slots)}` to `ctr (batch,)`.

    Args:
        layout: of the features.
        embedding_dim: numbers in a row of the embedding table.
        tower: called on `[numbers (batch, dense), fields (batch, fields, embedding_dim)]`, returns the
            logit `(batch, 1)`.
        embedding_l2: weight decay of embeddings: half of it times the squared norm of each table row that
            a batch touches, each row once, is added to the batch's mean loss.
        clip_norm: largest norm of all gradients of a step together; 0 is no limit.
        prior: log-odds that the tower's logit is added to, a weight that no step changes: with those of the
            training rows, the first steps need not learn how rare clicks are.
        embedding_bits: of a number of the table, see `FusedEmbedding`.
    """

    def __init__(
        self,
        layout: Layout,
        embedding_dim: int,
        tower: keras.layers.Layer,
        embedding_l2: float = 0.0,
        clip_norm: float = 0.0,
        prior: float = 0.0,
        embedding_bits: int = 32,
        **kwargs: Any,
    ) -> None:
        super().__init__(**kwargs)
        self.layout, self.embedding_dim = layout, embedding_dim
        self.embedding_l2, self.clip_norm = embedding_l2, clip_norm
        self.embedding = FusedEmbedding(layout, embedding_dim, bits=embedding_bits)
        self.tower = tower
        self.prior = self.add_weight((), keras.initializers.Constant(prior), trainable=False, name="prior")
        self.mean_loss = keras.metrics.Mean(name="loss")
        self.table_optimizer: SparseOptimizer | None = None
        self.build()

    def build(self, input_shape: Any = None) -> None:
        """Makes all variables by a pass over one row."""
        numbers = tf.zeros([1, len(self.layout.dense)])
        ids = tf.constant(
            [[field.offset for field in self.layout.fields for _ in range(field.slots)]], tf.int32
        )
        self.tower([numbers, self.embedding(ids)])
        self.built = True

    def logits(self, inputs: dict[str, tf.Tensor], training: bool = False) -> tf.Tensor:
        """Log-odds of a click, `(batch,)`."""
        return self._logits(inputs["numbers"], self.embedding(inputs["ids"]), training)

    def call(self, inputs: dict[str, tf.Tensor], training: bool = False) -> tf.Tensor:
        """Probabilities of a click, `(batch,)`."""
        return tf.sigmoid(self.logits(inputs, training=training))

    def compile(
        self, optimizer: Any = None, table_optimizer: SparseOptimizer | None = None, **kwargs: Any
    ) -> None:
        """Configures training; the loss is the weighted binary cross-entropy of the logits.

        Args:
            optimizer: of all variables but the table.
            table_optimizer: of the table.
            **kwargs: as for any Keras model. XLA is off unless asked for: it would read the whole table.
        """
        super().compile(optimizer=optimizer, **{"jit_compile": False, **kwargs})
        self.table_optimizer = table_optimizer

    def get_compile_config(self) -> dict[str, Any]:
        """What `compile` was given, as JSON values."""
        table_optimizer = keras.saving.serialize_keras_object(self.table_optimizer)
        return {**super().get_compile_config(), "table_optimizer": table_optimizer}

    def compile_from_config(self, config: dict[str, Any]) -> None:
        """Compiles as `get_compile_config` described, with the optimizers' variables ready to be loaded."""
        self.compile(**keras.saving.deserialize_keras_object(config))
        if self.table_optimizer is not None:
            self.optimizers()

    def optimizers(self) -> tuple[Any, SparseOptimizer]:
        """The optimizer of the tower and that of the table, their variables made.

        Raises:
            ValueError: when the model was compiled without them.
        """
        if self.optimizer is None or self.table_optimizer is None:
            raise ValueError(
                "a Ranker trains with two optimizers: compile(optimizer=..., table_optimizer=...)"
            )
        if not self.optimizer.built:
            self.optimizer.build(self.tower.trainable_variables)
        self.table_optimizer.build([self.embedding.table])
        return self.optimizer, self.table_optimizer

    def train_step(self, data: Any) -> dict[str, Any]:
        """One step on a batch `(inputs, label, weight)`; costs nothing for table rows not in the batch."""
        inputs, label, weight = keras.utils.unpack_x_y_sample_weight(data)
        optimizer, table_optimizer = self.optimizers()
        ids = inputs["ids"]
        vectors = self.embedding.lookup(ids)
        variables = self.tower.trainable_variables
        with tf.GradientTape() as tape:
            tape.watch(vectors)
            logits = self._logits(inputs["numbers"], self.embedding.pool(vectors, ids), training=True)
            loss, total_weight = weighted_logloss(label, logits, weight)
            objective = tf.add_n([loss, *self.tower.losses])
        *gradients, of_vectors = tape.gradient(
            objective, [*variables, vectors], unconnected_gradients=tf.UnconnectedGradients.ZERO
        )
        flat = tf.reshape(of_vectors, [-1, self.embedding_dim])
        rows, of_rows = sum_duplicates(tf.reshape(ids, [-1]), flat)
        if self.embedding_l2:
            of_rows += self.embedding_l2 * self.embedding.lookup(rows)
        if self.clip_norm:
            (*gradients, of_rows), _ = tf.clip_by_global_norm([*gradients, of_rows], self.clip_norm)
        optimizer.apply(gradients, variables)
        table_optimizer.apply_rows(self.embedding.table, rows, of_rows)
        return self._measure(inputs, label, logits, weight, loss, total_weight)

    def test_step(self, data: Any) -> dict[str, Any]:
        """Loss and metrics of a batch."""
        inputs, label, weight = keras.utils.unpack_x_y_sample_weight(data)
        logits = self.logits(inputs)
        loss, total_weight = weighted_logloss(label, logits, weight)
        return self._measure(inputs, label, logits, weight, loss, total_weight)

    def get_config(self) -> dict[str, Any]:
        """The constructor's arguments as JSON values."""
        return {
            "name": self.name,
            "layout": layout_config(self.layout),
            "embedding_dim": self.embedding_dim,
            "tower": keras.saving.serialize_keras_object(self.tower),
            "embedding_l2": self.embedding_l2,
            "clip_norm": self.clip_norm,
            "prior": float(self.prior),
            "embedding_bits": self.embedding.bits,
        }

    @classmethod
    def from_config(cls, config: dict[str, Any], custom_objects: Any = None) -> "Ranker":
        """The model that `get_config` described."""
        tower = keras.saving.deserialize_keras_object(config["tower"], custom_objects=custom_objects)
        return cls(**{**config, "layout": layout_from_config(config["layout"]), "tower": tower})

    def _logits(self, numbers: tf.Tensor, fields: tf.Tensor, training: bool) -> tf.Tensor:
        return tf.squeeze(self.tower([numbers, fields], training=training), axis=1) + self.prior

    def _measure(
        self,
        inputs: Any,
        label: tf.Tensor,
        logits: tf.Tensor,
        weight: tf.Tensor | None,
        loss: tf.Tensor,
        total_weight: tf.Tensor,
    ) -> dict[str, Any]:
        self.mean_loss.update_state(loss, sample_weight=total_weight)
        results: dict[str, Any] = self.compute_metrics(inputs, label, tf.sigmoid(logits), weight)
        return results


def weighted_logloss(
    label: tf.Tensor, logits: tf.Tensor, weight: tf.Tensor | None = None
) -> tuple[tf.Tensor, tf.Tensor]:
    """Weighted mean binary cross-entropy of a batch.

    Args:
        label: `(batch,)`, 0 or 1.
        logits: `(batch,)`.
        weight: `(batch,)`; None counts every row once.

    Returns:
        The mean in nats (0 where all weights are 0) and the sum of the weights.
    """
    label = tf.cast(label, tf.float32)
    losses = tf.nn.sigmoid_cross_entropy_with_logits(labels=label, logits=logits)
    weights = tf.ones_like(losses) if weight is None else tf.cast(weight, tf.float32)
    total = tf.reduce_sum(weights)
    return tf.math.divide_no_nan(tf.reduce_sum(weights * losses), total), total
