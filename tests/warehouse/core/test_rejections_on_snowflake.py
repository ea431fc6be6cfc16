"""The tests of tests/core/test_rejections.py, with the warehouse in Snowflake."""

from tests.core.test_rejections import *  # noqa: F403 - every test of it
