"""Values that every room shares; no I/O."""
