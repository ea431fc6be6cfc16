"""Traces, metrics and lineage of runs, sent to where the standard environment variables say."""
