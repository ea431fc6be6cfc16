"""The statements of planning."""
