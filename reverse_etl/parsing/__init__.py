"""Jinja, YAML, validation and the small parsers of configuration."""
