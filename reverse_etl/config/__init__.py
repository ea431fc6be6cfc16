"""profiles.yml read to a target; first files."""
