"""The tests of tests/core/test_lists.py, with the warehouse in Snowflake."""

from tests.core.test_lists import *  # noqa: F403 - every test of it
