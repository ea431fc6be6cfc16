"""The tests of tests/core/test_reconcile_people.py, with the warehouse in Snowflake."""

# ruff: noqa: F401 - tests
from tests.core.test_reconcile_people import (
    shop,
    test_a_person_who_never_confirmed_is_not_missing,
    test_a_subscriber_who_is_off_the_list_is_missing_and_can_be_resent,
    test_a_suppressed_person_of_another_address_is_not_missing,
    test_a_suppression_that_was_lifted_by_hand_is_missing_and_can_be_resent,
    test_a_suppression_whose_reply_was_lost_is_uncertain_and_not_missing,
    test_subscribers_who_opted_out_are_not_missing_and_never_resent,
    test_suppressed_people_without_a_row_are_only_a_count,
)
