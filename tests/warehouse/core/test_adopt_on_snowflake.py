"""The tests of tests/core/test_adopt.py, with the warehouse in Snowflake."""

from __future__ import annotations

from tests.core.test_adopt import (  # noqa: F401 - they are tests
    test_a_list_that_passed_to_another_model_can_be_adopted,
    test_a_member_adopted_under_another_identifier_is_matched_to_its_row,
    test_a_member_without_an_identifier_of_the_model_is_adopted_by_klaviyos_id,
    test_a_rejected_row_protects_an_adopted_member,
    test_an_adopted_member_with_a_row_stays_and_gets_its_values,
    test_existing_members_stay_until_they_are_adopted_and_then_follow_the_model,
    test_guards_count_the_removals_that_follow_an_adoption,
)
