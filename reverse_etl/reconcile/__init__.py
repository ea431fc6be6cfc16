"""Reconcile: read a list back, and compare who is on it with what was applied to it."""
