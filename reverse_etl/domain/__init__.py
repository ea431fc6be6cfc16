"""Values shared by all other packages; no I/O."""
