"""The tests of tests/core/test_removal.py, with the warehouse in Snowflake."""

from tests.core.test_removal import *  # noqa: F403 - every test of it
