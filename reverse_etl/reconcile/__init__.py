"""Reconcile and adopt: read a list back, and compare its members with the rows applied to it."""
