"""The tests of tests/core/test_lists_of_addresses.py, with the warehouse in Snowflake, and their property."""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING

import pytest

from tests.core import test_address_convergence
from tests.core.random_days import live_many_days
from tests.core.test_lists_of_addresses import (  # noqa: F401 - they are tests, and their fixture
    lists,
    test_a_customer_who_is_back_with_a_new_address_is_the_same_subscriber,
    test_a_list_that_has_the_old_address_still_has_it_as_a_profile_of_its_own,
    test_a_list_that_is_not_selected_keeps_its_members_too,
    test_a_member_who_leaves_with_a_new_address_is_removed,
    test_a_member_with_a_new_address_stays_managed,
    test_an_address_that_becomes_another_persons_is_sent_again,
    test_profiles_without_a_list_get_their_values_again,
)
from tests.warehouse.snowflake_world import SnowflakeWorld

if TYPE_CHECKING:
    from tests.warehouse.snowflake_accounts import Server


@pytest.mark.timeout(3600)
def test_each_person_is_a_member_once_though_addresses_change(
    server: Server, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(test_address_convergence, "World", partial(SnowflakeWorld, account=server))
    live_many_days(test_address_convergence.ChangingAddresses, examples=3, steps=12)
