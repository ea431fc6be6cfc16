"""The tests of tests/core/test_rejected_rows_protect.py, with the warehouse in Snowflake."""

from tests.core.test_rejected_rows_protect import *  # noqa: F403 - every test of it
