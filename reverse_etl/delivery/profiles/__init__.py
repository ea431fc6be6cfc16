"""Change, clear and delete profiles that exist."""
