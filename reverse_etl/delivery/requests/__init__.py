"""Send the requests that a model describes itself."""
