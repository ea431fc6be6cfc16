"""Status and reports: what is remembered, for people and for other programs."""
