"""Parsers for configuration: Jinja, YAML, validation, durations, variables, suggestions."""
