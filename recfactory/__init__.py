"""The library: data, models, training, search space, supernet, search and co-design of CTR models."""
