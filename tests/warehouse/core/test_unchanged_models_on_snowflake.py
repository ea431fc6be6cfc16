"""The tests of tests/core/test_unchanged_models.py, with the warehouse in Snowflake."""

from __future__ import annotations

from tests.core.test_unchanged_models import (  # noqa: F401 - they are tests
    test_a_row_refused_during_a_full_refresh_stays_rejected,
    test_an_equal_row_count_does_not_hide_a_changed_value,
    test_an_equal_row_count_does_not_hide_other_rows,
    test_an_identifier_shared_by_two_sent_rows_is_reported_in_every_run,
    test_an_identity_that_was_another_rows_is_rejected_if_both_rows_claim_it,
    test_conflicts_are_reported_even_if_nothing_changed,
    test_values_that_were_left_out_of_the_staged_rows_are_sent_again,
)
