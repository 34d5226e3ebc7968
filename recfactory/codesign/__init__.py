"""Co-design: a path, the bits of its operators and the hardware that runs it, searched together."""
