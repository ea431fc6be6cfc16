"""Reads profiles.yml and returns the chosen target; writes the first files of a project."""
