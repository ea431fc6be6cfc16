"""Rule: with create='never' nobody is created, with the warehouse in Snowflake."""

from tests.core.test_update_only import (  # noqa: F401 - they are tests
    test_a_full_refresh_looks_at_all_again,
    test_a_profile_that_was_deleted_has_no_profile_from_then_on,
    test_an_existing_person_is_added_to_the_list,
    test_an_unknown_person_is_looked_up_again_after_a_week_or_a_change,
    test_existing_people_are_changed_and_nobody_is_created,
    test_values_are_cleared_by_id_alone,
)
