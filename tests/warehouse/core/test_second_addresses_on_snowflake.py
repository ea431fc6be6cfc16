"""The tests of tests/core/test_second_addresses.py, with the warehouse in Snowflake."""

from __future__ import annotations

from tests.core.test_second_addresses import (  # noqa: F401 - they are tests, and their fixture
    make_members,
    test_a_person_with_a_second_or_hidden_address_is_suppressed,
    test_adopting_a_list_removes_nobody_who_is_desired_under_a_second_address,
    test_reconcile_finds_a_member_by_a_second_address,
)
