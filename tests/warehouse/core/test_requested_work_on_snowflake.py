"""The tests of tests/core/test_requested_work.py, with the warehouse in Snowflake."""

from tests.core.test_requested_work import *  # noqa: F403 - every test of it
