"""Features: how validated rows become the numbers a model reads, in Arrow (training) and in TensorFlow (serving)."""
