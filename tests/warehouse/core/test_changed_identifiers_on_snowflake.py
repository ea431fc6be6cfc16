"""The tests of tests/core/test_changed_identifiers.py, with the warehouse in Snowflake."""

from tests.core.test_changed_identifiers import *  # noqa: F403 - every test of it
