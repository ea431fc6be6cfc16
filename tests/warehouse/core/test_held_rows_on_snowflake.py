"""The cases of tests/core/test_held_rows.py, with the warehouse in Snowflake."""

from tests.core.test_held_rows import test_each_held_row_has_its_reason  # noqa: F401 - a test
