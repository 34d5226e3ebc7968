"""Searches in keras-tuner's style."""
