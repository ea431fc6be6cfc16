"""Klaviyo's endpoints, a module for each resource.

An endpoint is a function of the account and the request.
"""
