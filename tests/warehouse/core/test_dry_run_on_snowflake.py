"""The tests of tests/core/test_dry_run.py, with the warehouse in Snowflake."""

from tests.core.test_dry_run import *  # noqa: F403 - every test of it
