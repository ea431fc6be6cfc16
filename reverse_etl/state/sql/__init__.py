"""The statements of the state."""
