"""The tests of tests/core/test_desired_rows_stay.py, with the warehouse in Snowflake."""

from tests.core.test_desired_rows_stay import *  # noqa: F403 - every test of it
