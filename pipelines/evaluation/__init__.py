"""The evaluation gate: a model measured by TFMA on raw examples, judged against thresholds and a baseline."""
