"""The tests of tests/core/test_job_results.py, with the warehouse in Snowflake."""

from tests.core.test_job_results import *  # noqa: F403 - every test of it
