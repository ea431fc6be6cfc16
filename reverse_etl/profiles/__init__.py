"""Profiles: from profiles.yml to the frozen values of a target."""
