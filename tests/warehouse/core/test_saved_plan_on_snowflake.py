"""The tests of tests/core/test_saved_plan.py, with the warehouse in Snowflake."""

from __future__ import annotations

from tests.core.test_saved_plan import (  # noqa: F401 - they are tests
    test_a_plan_is_applied_once,
    test_a_plan_of_one_model_leaves_the_others_alone,
    test_a_saved_plan_is_what_is_sent,
    test_apply_uses_the_options_of_the_plan,
    test_swapped_values_change_the_plan,
    test_the_first_plan_of_all_can_be_applied,
)
