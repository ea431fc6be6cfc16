"""The tests of tests/core/test_refused_identifiers.py, with the warehouse in Snowflake."""

from tests.core.test_refused_identifiers import *  # noqa: F403 - every test of it
