"""Models: from an SQL file to a compiled, checked SELECT."""
