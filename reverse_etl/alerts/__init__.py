"""Notify people of how a run ended: what is wrong, whether it was reported, and the messages."""
