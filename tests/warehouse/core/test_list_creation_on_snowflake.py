"""The tests of tests/core/test_list_creation.py, with the warehouse in Snowflake."""

from tests.core.test_list_creation import *  # noqa: F403 - every test of it
