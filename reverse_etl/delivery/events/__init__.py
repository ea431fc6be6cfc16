"""Send events, each once."""
