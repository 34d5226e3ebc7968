"""Export, publication and serving of trained models over TF Serving's protocols."""
