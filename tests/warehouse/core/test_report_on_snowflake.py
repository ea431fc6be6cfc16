"""The tests of tests/core/test_report.py, with the warehouse in Snowflake."""

from tests.core.test_report import *  # noqa: F403 - every test of it
