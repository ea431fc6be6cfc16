"""The tests of tests/core/test_recovery.py, with the warehouse in Snowflake."""

from tests.core.test_recovery import *  # noqa: F403 - every test of it
