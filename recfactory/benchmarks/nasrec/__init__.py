"""What NASRec's public code does, done here, so that benchmarks can compare with it."""
