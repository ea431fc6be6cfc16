"""The tests of tests/core/test_report_tables.py, with the warehouse in Snowflake."""

from tests.core.test_report_tables import *  # noqa: F403 - every test of it
