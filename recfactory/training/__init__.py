"""Training of one model: seeded epochs, early stopping, checkpoints, exact resume."""
