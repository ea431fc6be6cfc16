"""The core's tests of the same name, with the warehouse in Snowflake.

This folder's fixtures give them another world. Those that look into files stay with DuckDB.
"""

from __future__ import annotations

import pytest

from tests.core.test_reconcile import (  # noqa: F401 - they are tests
    test_a_missing_row_that_is_no_longer_desired_is_forgotten_once_mended,
    test_a_removal_that_found_nobody_is_told_once_its_person_is_on_the_list,
    test_each_list_of_a_model_is_read_and_profiles_have_none,
    test_members_of_no_row_are_others,
    test_rows_whose_person_was_a_member_before_are_counted,
    test_what_a_dead_run_left_is_settled_before_a_list_is_mended,
    test_whoever_got_a_new_e_mail_by_hand_is_not_missing,
    test_whoever_shares_only_a_phone_with_a_row_is_neither_that_row_nor_a_stranger,
    test_whoever_was_taken_off_by_hand_is_missing_and_sent_again_once_mended,
)

pytestmark = pytest.mark.long
