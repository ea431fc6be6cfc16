"""Add existing profiles to lists, and remove members who are no longer desired."""
