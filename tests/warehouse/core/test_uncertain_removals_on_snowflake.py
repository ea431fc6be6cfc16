"""The tests of tests/core/test_uncertain_removals.py, with the warehouse in Snowflake."""

from tests.core.test_uncertain_removals import *  # noqa: F403 - every test of it
