"""Suppress and unsuppress people, by what Klaviyo shows of them."""
