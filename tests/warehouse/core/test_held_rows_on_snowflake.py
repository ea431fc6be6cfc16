"""The tests of tests/core/test_held_rows.py, with the warehouse in Snowflake."""

from tests.core.test_held_rows import *  # noqa: F403 - every test of it
