"""The tests of tests/core/test_model_changes.py, with the warehouse in Snowflake, without kills."""

from tests.core.test_model_changes import *  # noqa: F403 - every test of it

del test_a_change_may_be_killed_before_each_statement  # noqa: F821 - it is imported above
