"""The core's tests of the same name, with the warehouse in Snowflake: those that the statements decide.

This folder's fixtures give them another world.
"""

from __future__ import annotations

from tests.core.test_surface_port import (
    codes_surface,  # noqa: F401 - it is a fixture
    test_keys_never_collide_and_duplicate_keys_are_reported,  # noqa: F401 - they are tests
    test_only_new_keys_are_sent_and_a_changed_row_is_rejected_by_name,  # noqa: F401
    test_rows_are_sent_once,  # noqa: F401
    test_uncertain_rows_are_sent_again_or_forgotten,  # noqa: F401
)
