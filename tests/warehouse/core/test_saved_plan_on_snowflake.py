"""The core's tests of the same name, with the warehouse in Snowflake.

This folder's fixtures give them another world.
"""

from __future__ import annotations

import pytest

from tests.core.test_saved_plan import (  # noqa: F401 - they are tests
    test_a_plan_is_applied_once,
    test_a_plan_of_one_model_leaves_the_others,
    test_a_saved_plan_is_what_is_sent,
    test_a_swap_of_values_between_two_rows_is_another_plan,
    test_the_first_plan_of_all_can_be_applied,
    test_what_was_asked_of_the_plan_is_asked_again,
)

pytestmark = pytest.mark.long
