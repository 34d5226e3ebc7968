"""The search itself, without TensorFlow or keras-tuner: what is suggested next, given the trials so far."""
