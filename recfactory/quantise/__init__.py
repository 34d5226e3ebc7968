"""Computing with few bits, and as crossbars do: what a candidate's precision costs in accuracy."""
