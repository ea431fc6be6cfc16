"""Deletions on every warehouse: a person is deleted, erased from the state, withheld, and readmitted."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from reverse_etl.delivery.outcomes import Outcome
from tests.core.deletions import email, erase, known, open_shop, readmit, requests, run
from tests.core.world import only_list
from tests.warehouse.snowflake_accounts import WAREHOUSES

if TYPE_CHECKING:
    from collections.abc import Callable

    from tests.core.world import World


@pytest.fixture(params=WAREHOUSES)
def shop(request: pytest.FixtureRequest, make_world: Callable[..., World]) -> World:
    """Make a world on each warehouse, with a model that deletes people."""
    return open_shop(make_world(warehouse=request.param))


def test_a_deleted_person_is_withheld_until_the_row_leaves(shop: World) -> None:
    erase(shop, [email(1), email(2)])
    result = run(shop)
    assert only_list(result, "erase").outcomes == {Outcome.APPLIED: 2}
    assert only_list(result, "members").list_plan.withheld == 2
    result = shop.run()
    assert (only_list(result, "erase").list_plan.unchanged, only_list(result, "members").outcomes) == (2, {})
    assert readmit(shop, email(2)) == 1
    erase(shop, [email(2)])
    assert only_list(run(shop), "erase").outcomes == {Outcome.READMITTED: 1}
    shop.run()
    assert {email(1), email(2)} <= {*known(shop)}
    assert requests(shop) == 2
