"""Rule: no staged row changes once it is staged, with the warehouse in Snowflake."""

from tests.core.test_row_marks import (  # noqa: F401 - they are tests
    test_a_row_of_a_refused_list_stays_rejected_while_another_of_the_person_is_compared,
    test_no_staged_row_is_changed_in_an_idle_night,
)
