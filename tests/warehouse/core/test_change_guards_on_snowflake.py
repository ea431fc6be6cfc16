"""The tests of tests/core/test_change_guards.py, with the warehouse in Snowflake."""

from tests.core.test_change_guards import *  # noqa: F403 - every test of it
