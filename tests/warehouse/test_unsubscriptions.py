"""People who leave a list and the consent to it, on every warehouse."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from reverse_etl.delivery.outcomes import Outcome
from tests.core.consent import ANN, BOB, marketing
from tests.core.unsubscriptions import members_and_consents
from tests.core.world import only_list
from tests.warehouse.snowflake_accounts import WAREHOUSES, stand_in_is_long

if TYPE_CHECKING:
    from collections.abc import Callable

    from tests.core.world import World


@pytest.fixture(params=WAREHOUSES)
def shop(request: pytest.FixtureRequest, make_world: Callable[..., World]) -> World:
    """Make a world on each warehouse, where two people are on a list and subscribed to it."""
    world: World = make_world(warehouse=request.param)
    members_and_consents(world, [ANN, BOB], [ANN, BOB])
    world.run()
    return world


@stand_in_is_long
def test_a_member_who_is_only_unsubscribed_comes_back_to_the_list(shop: World) -> None:
    members_and_consents(shop, [ANN, BOB], [BOB])
    shop.run()
    shop.run()
    assert shop.emails() == [ANN, BOB]
    assert len(marketing(shop, ANN)["list_suppressions"]) == 1


@stand_in_is_long
def test_models_that_run_apart_converge(shop: World) -> None:
    members_and_consents(shop, [BOB], [ANN, BOB])
    assert only_list(shop.run(select=["members"])).outcomes == {Outcome.REMOVED: 1}
    assert shop.emails() == [BOB]


def test_nobody_is_removed_from_a_list_before_she_is_unsubscribed_from_it(shop: World) -> None:
    members_and_consents(shop, [BOB], [BOB])
    assert only_list(shop.run(select=["members"])).outcomes == {Outcome.NOT_SENT: 1}
    assert shop.emails() == [ANN, BOB]
    shop.run()
    assert shop.run().exit_code == 0
    assert shop.emails() == [BOB]
    assert len(marketing(shop, ANN)["list_suppressions"]) == 1
