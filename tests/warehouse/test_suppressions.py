"""Suppressions on every warehouse: people who are suppressed, not known of, and unsuppressed again."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from reverse_etl.delivery.outcomes import Outcome
from tests.core.suppressions import block, by_hand, email, free_on_remove, open_shop, outcomes, suppressed
from tests.core.world import only_list
from tests.warehouse.snowflake_accounts import WAREHOUSES, stand_in_is_long

if TYPE_CHECKING:
    from collections.abc import Callable

    from tests.core.world import World


@pytest.fixture(params=WAREHOUSES)
def shop(request: pytest.FixtureRequest, make_world: Callable[..., World]) -> World:
    """Make a world on each warehouse, whose model unsuppresses those who leave."""
    world = open_shop(make_world(warehouse=request.param))
    free_on_remove(world)
    return world


def test_people_are_suppressed_and_freed_by_the_model_that_did_it(shop: World) -> None:
    by_hand(shop, email(2))
    shop.model("fraud", "select email from fraud", surface="suppressions", on_remove="unsuppress", min_rows=0)
    block(shop, [email(1), email(2), email(3), "new@example.com"])
    block(shop, [email(3)], table="fraud")
    assert outcomes(shop) == {Outcome.APPLIED: 3, Outcome.NO_PROFILE: 1}
    assert suppressed(shop) == [email(1), email(2), email(3)]
    block(shop, [])
    expected = {Outcome.REMOVED: 1, Outcome.UNMANAGED: 1, Outcome.REPLACED: 1, Outcome.NOT_FOUND: 1}
    assert outcomes(shop) == expected
    assert suppressed(shop) == [email(2), email(3)]
    block(shop, [], table="fraud")
    assert only_list(shop.run(), "fraud").outcomes == {Outcome.REMOVED: 1}
    assert suppressed(shop) == [email(2)]


@stand_in_is_long
def test_a_suppression_that_shows_late_is_settled_by_the_next_run(shop: World) -> None:
    shop.sandbox.change_rules(suppression_seconds=3600.0)
    block(shop, [email(1)])
    assert outcomes(shop) == {Outcome.UNVERIFIED: 1}
    shop.wait(3600.0)
    assert outcomes(shop) == {Outcome.APPLIED: 1}
    shop.sandbox.change_rules(suppression_seconds=1.0)
    block(shop, [])
    assert outcomes(shop) == {Outcome.REMOVED: 1}
