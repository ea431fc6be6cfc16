"""Rule: a value that became NULL is cleared, with the warehouse in Snowflake."""

from tests.core.test_clears import (  # noqa: F401 - they are tests
    test_a_cleared_value_comes_back,
    test_a_full_refresh_clears_again_what_was_cleared_and_nothing_else,
    test_a_guard_stops_a_list_of_which_many_values_became_null,
    test_a_null_rejects_its_row,
    test_a_value_that_another_model_has_is_not_cleared,
    test_a_value_that_the_person_has_on_another_list_is_not_cleared,
    test_a_value_that_was_never_sent_is_not_cleared,
    test_the_two_endpoints_take_turns,
    test_values_that_became_null_are_cleared,
)
