"""Rule: no staged row changes once it is staged, with the warehouse in Snowflake."""

from tests.core.test_row_marks import test_no_staged_row_is_changed_in_an_idle_night  # noqa: F401 - a test
