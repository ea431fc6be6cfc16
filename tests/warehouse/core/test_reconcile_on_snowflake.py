"""The tests of tests/core/test_reconcile.py, with the warehouse in Snowflake."""

from __future__ import annotations

from tests.core.test_reconcile import (  # noqa: F401 - they are tests
    test_a_killed_run_is_settled_before_rows_are_resent,
    test_a_manually_removed_member_is_missing_and_can_be_resent,
    test_a_member_who_shares_only_a_phone_is_ambiguous,
    test_a_member_whose_email_was_changed_manually_is_not_missing,
    test_a_removal_that_found_nobody_is_reported_once_the_person_is_a_member,
    test_each_list_of_a_model_is_read_and_profiles_have_none,
    test_members_without_a_row_count_as_others,
    test_resending_forgets_a_missing_row_that_is_no_longer_desired,
    test_rows_whose_person_was_a_member_before_are_counted,
)
