"""The core's tests of the same name, with the warehouse in Snowflake.

This folder's fixtures give them another world. Those that look into files stay with DuckDB.
"""

from __future__ import annotations

import pytest

from tests.core.test_adopt import (  # noqa: F401 - they are tests
    test_a_list_that_another_model_drives_now_can_be_adopted,
    test_a_member_without_any_identifier_of_the_model_is_adopted_by_klaviyos_id,
    test_a_rejected_row_protects_whoever_was_adopted,
    test_guards_look_at_whom_an_adoption_would_take_off,
    test_members_of_before_stay_until_they_are_adopted_and_then_the_model_decides,
    test_whoever_is_adopted_and_wanted_stays_and_gets_her_values,
    test_whoever_is_adopted_under_another_identifier_is_known_as_the_wanted_row_she_is,
)

pytestmark = pytest.mark.long
