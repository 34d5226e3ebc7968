"""Features: how validated rows become what a model reads, in Arrow (training) and TensorFlow (serving)."""
