"""Hand-made ranking models: one fused embedding table below, a tower on top, a sparse update of the table."""
