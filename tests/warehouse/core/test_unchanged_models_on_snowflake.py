"""The core's tests of the same name, with the warehouse in Snowflake.

This folder's fixtures give them another world. The one that listens to DuckDB's session stays with it.
"""

from __future__ import annotations

import pytest

from tests.core.test_unchanged_models import (  # noqa: F401 - they are tests
    test_a_change_is_seen_though_there_are_as_many_rows_as_before,
    test_a_row_that_was_refused_in_a_full_refresh_stands_refused,
    test_an_identifier_that_two_rows_have_at_klaviyo_is_told_as_shared_every_day,
    test_an_identity_that_another_row_had_before_is_rejected_once_both_say_so,
    test_as_many_rows_as_before_may_be_others,
    test_what_clashes_is_told_on_every_day_on_which_nothing_changes,
)

pytestmark = pytest.mark.long
