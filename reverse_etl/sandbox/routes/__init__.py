"""Klaviyo's endpoints, one module per resource. An endpoint is a function of the account and the request."""
