"""Beam pipelines: raw logs to features, batch scoring, evaluation."""
