"""The output of the command line: tables, JSON, progress, logs."""
