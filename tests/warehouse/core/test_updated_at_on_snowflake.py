"""The tests of tests/core/test_updated_at.py, with the warehouse in Snowflake."""

from __future__ import annotations

from tests.core.test_updated_at import (  # noqa: F401 - they are tests, and a fixture
    members,
    test_a_changed_model_is_compared_in_full,
    test_a_config_that_was_changed_back_is_compared_in_full,
    test_a_full_comparison_that_leaves_a_change_open_does_not_count,
    test_a_lie_lasts_until_the_next_full_comparison,
    test_a_row_that_changes_between_the_two_reads_is_left_alone,
    test_a_row_that_was_touched_and_is_equal_is_compared_once,
    test_a_value_of_a_row_that_was_not_compared_is_not_cleared,
    test_all_rows_protect_and_conflict_as_ever,
    test_lists_of_a_column_are_compared_row_by_row,
    test_only_rows_with_another_updated_at_are_compared,
    test_refused_rows_are_compared_until_they_are_accepted,
    test_rows_that_others_changed_are_compared,
    test_rows_without_an_identity_are_known_rejections_in_each_comparison,
)
