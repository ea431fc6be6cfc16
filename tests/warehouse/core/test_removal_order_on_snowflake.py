"""The tests of tests/core/test_removal_order.py, with the warehouse in Snowflake."""

from tests.core.test_removal_order import *  # noqa: F403 - every test of it
