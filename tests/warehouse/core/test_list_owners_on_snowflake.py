"""The tests of tests/core/test_list_owners.py, with the warehouse in Snowflake."""

from tests.core.test_list_owners import *  # noqa: F403 - every test of it
