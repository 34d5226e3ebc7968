"""The features pipeline: raw logs -> validated tf.Examples and packed encoded features."""

from pipelines.features.pipeline import make_features

__all__ = ["make_features"]
