"""An embedded server that speaks TensorFlow Serving's gRPC and REST protocols."""
