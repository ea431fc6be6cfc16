"""Subscribe and unsubscribe people, by their consent as it is just before the request."""
