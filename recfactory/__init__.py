"""The library: schema, data, models and training of click-through-rate models."""
